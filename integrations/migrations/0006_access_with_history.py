import django.db.models.deletion
from django.db import migrations, models


def aims_written_down(apps, schema_editor):
    access = apps.get_model("integrations", "AppAccess")
    access.objects.filter(state__in=["revoking", "revoked"]).update(aim="gone")


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0005_syncrun_asked_for'),
        ('people', '0006_role_lead'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('state', models.CharField(choices=[('planned', 'Planned'), ('requested', 'Being given'), ('granted', 'Active'), ('revoking', 'Being taken away'), ('revoked', 'Taken away'), ('failed', 'Failed'), ('uncertain', 'Uncertain'), ('by_hand', 'Waits for somebody')], max_length=20)),
                ('run_id', models.BigIntegerField(blank=True, null=True)),
                ('by_label', models.CharField(blank=True, help_text='Blank: a workflow.', max_length=200)),
                ('words', models.CharField(blank=True, max_length=300)),
                ('evidence', models.JSONField(blank=True, default=dict, help_text='Calls with their request ids, what was read back.')),
            ],
            options={
                'ordering': ['access', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='AccessReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(blank=True, help_text='Somebody pressed Read now.', null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('tried_at', models.DateTimeField(blank=True, null=True)),
                ('accounts', models.PositiveIntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('drift', models.JSONField(blank=True, default=dict, help_text='How many of each difference, when last looked at.')),
                ('drift_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['application'],
            },
        ),
        migrations.CreateModel(
            name='ReportedAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=200)),
                ('username', models.CharField(blank=True, max_length=300)),
                ('email', models.CharField(blank=True, max_length=254)),
                ('active', models.BooleanField(default=True)),
                ('matched_by', models.CharField(blank=True, help_text='Who said whose it is; blank: by work email.', max_length=200)),
                ('first_seen_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('gone_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'reported access',
                'ordering': ['application', 'email', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='appaccess',
            name='aim',
            field=models.CharField(choices=[('have', 'To have it'), ('gone', 'To be rid of it')], default='have', max_length=10),
        ),
        migrations.AddField(
            model_name='appaccess',
            name='expires_at',
            field=models.DateTimeField(blank=True, db_index=True, help_text='When it is taken away by itself.', null=True),
        ),
        migrations.AddField(
            model_name='appaccess',
            name='expiry_told_at',
            field=models.DateTimeField(blank=True, help_text='When the owner was reminded that it ends.', null=True),
        ),
        migrations.AddField(
            model_name='application',
            name='category',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name='application',
            name='description',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='application',
            name='icon',
            field=models.CharField(blank=True, help_text='Name in our own set of icons.', max_length=40),
        ),
        migrations.AlterField(
            model_name='appaccess',
            name='run_id',
            field=models.BigIntegerField(blank=True, db_index=True, help_text='The run that last changed it.', null=True),
        ),
        migrations.AlterField(
            model_name='appaccess',
            name='state',
            field=models.CharField(choices=[('planned', 'Planned'), ('requested', 'Being given'), ('granted', 'Active'), ('revoking', 'Being taken away'), ('revoked', 'Taken away'), ('failed', 'Failed'), ('uncertain', 'Uncertain'), ('by_hand', 'Waits for somebody')], default='requested', max_length=20),
        ),
        migrations.AddIndex(
            model_name='appaccess',
            index=models.Index(fields=['application', 'state'], name='access_app_state'),
        ),
        migrations.AddIndex(
            model_name='appaccess',
            index=models.Index(fields=['person', 'aim', 'ended_at'], name='access_person_ended'),
        ),
        migrations.AddField(
            model_name='accessevent',
            name='access',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='integrations.appaccess'),
        ),
        migrations.AddField(
            model_name='accessreading',
            name='application',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='reading', to='integrations.application'),
        ),
        migrations.AddField(
            model_name='reportedaccess',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reported', to='integrations.application'),
        ),
        migrations.AddField(
            model_name='reportedaccess',
            name='person',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reported_accesses', to='people.person'),
        ),
        migrations.AddIndex(
            model_name='reportedaccess',
            index=models.Index(condition=models.Q(('gone_at__isnull', True)), fields=['application', 'person'], name='reported_now'),
        ),
        migrations.AddConstraint(
            model_name='reportedaccess',
            constraint=models.UniqueConstraint(fields=('application', 'external_id'), name='one_report_per_account'),
        ),
        migrations.RunPython(aims_written_down, migrations.RunPython.noop),
    ]
