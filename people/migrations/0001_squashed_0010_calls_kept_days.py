"""What the migrations from 0001 to 0010 make, in one step."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from people.search_index import index_drop, index_ensure
from siit_remote.lib.models_together import CreateModelsTogether


def make_index(apps, schema_editor):
    index_ensure(schema_editor.connection)


def take_index_away(apps, schema_editor):
    index_drop(schema_editor.connection)


class Migration(migrations.Migration):

    replaces = [
        ('people', '0001_initial'),
        ('people', '0002_custom_fields_and_proposals'),
        ('people', '0003_limits_and_freshness'),
        ('people', '0004_list_and_search'),
        ('people', '0005_person_merge'),
        ('people', '0006_role_lead'),
        ('people', '0007_address_kept_days'),
        ('people', '0008_counts_by_status'),
        ('people', '0009_personal_email'),
        ('people', '0010_calls_kept_days'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModelsTogether(
            models=[
                migrations.CreateModel(
                    name='EmploymentType',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.SlugField(max_length=60, unique=True)),
                        ('name', models.CharField(max_length=120)),
                    ],
                    options={
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='FieldPolicy',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('field', models.CharField(max_length=60, unique=True)),
                        ('sources', models.JSONField(default=list, help_text='Connection keys, most trusted first; others follow by age.')),
                        ('visible_to', models.JSONField(blank=True, default=list, help_text='Roles that may see the field; empty for everybody.')),
                    ],
                    options={
                        'verbose_name_plural': 'field policies',
                        'ordering': ['field'],
                    },
                ),
                migrations.CreateModel(
                    name='LegalEntity',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=200, unique=True)),
                        ('external_id', models.CharField(blank=True, db_index=True, max_length=64)),
                        ('country', models.CharField(blank=True, help_text='ISO 3166-1 alpha-3.', max_length=3)),
                        ('timezone', models.CharField(blank=True, max_length=64)),
                        ('language', models.CharField(blank=True, max_length=10)),
                        ('lead', models.ForeignKey(blank=True, help_text='Who approves for this entity.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads_entities', to='people.person')),
                    ],
                    options={
                        'verbose_name_plural': 'legal entities',
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='Team',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(max_length=200, unique=True)),
                    ],
                    options={
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='Workspace',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.CharField(default='My company', max_length=200)),
                        ('timezone', models.CharField(default='UTC', help_text='IANA name, as Europe/Paris.', max_length=64)),
                        ('language', models.CharField(default='en', max_length=10)),
                        ('sync_every_hours', models.PositiveSmallIntegerField(default=4)),
                        ('late_within_days', models.PositiveSmallIntegerField(default=3, help_text='A moment missed by up to so many days still runs, marked late.')),
                        ('sync_limit_people', models.PositiveIntegerField(default=5, help_text='A sync that would end or blank more people than this is held.')),
                        ('sync_limit_percent', models.PositiveSmallIntegerField(default=10)),
                        ('workflow_limit_people', models.PositiveIntegerField(default=20)),
                        ('workflow_limit_percent', models.PositiveSmallIntegerField(default=10)),
                        ('workflow_limit_hours', models.PositiveIntegerField(default=24)),
                        ('workflow_week_people', models.PositiveIntegerField(blank=True, help_text='Within 7 days. Empty: three times the daily number.', null=True)),
                        ('workflow_week_percent', models.PositiveSmallIntegerField(blank=True, help_text='Within 7 days. Empty: twice the daily percentage.', null=True)),
                        ('workspace_limit_people', models.PositiveIntegerField(blank=True, help_text="All workflows together. Empty: twice a workflow's.", null=True)),
                        ('workspace_limit_percent', models.PositiveSmallIntegerField(blank=True, help_text="All workflows together. Empty: twice a workflow's.", null=True)),
                        ('workspace_week_people', models.PositiveIntegerField(blank=True, help_text='All together in 7 days. Empty: three times the daily.', null=True)),
                        ('workspace_week_percent', models.PositiveSmallIntegerField(blank=True, help_text='All together in 7 days. Empty: twice the daily.', null=True)),
                        ('limit_floor', models.PositiveSmallIntegerField(default=3, help_text='Percentages count from so many people on; fewer are never held.')),
                        ('hold_days', models.PositiveSmallIntegerField(default=7, help_text='What nobody releases within so many days is not run.')),
                        ('address_kept_days', models.PositiveSmallIntegerField(default=30, help_text='Days after shipping until a delivery address is erased.')),
                        ('calls_kept_days', models.PositiveSmallIntegerField(default=180, help_text="Days until a call to another system is forgotten. What a leaver's evidence needs stays.")),
                        ('directory_stale_hours', models.PositiveIntegerField(blank=True, help_text='An older directory stops destructive steps. Empty: twice the sync interval.', null=True)),
                    ],
                    options={
                        'verbose_name': 'workspace settings',
                        'verbose_name_plural': 'workspace settings',
                    },
                ),
                migrations.CreateModel(
                    name='CustomField',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('key', models.CharField(help_text='Name in conditions and messages: custom.KEY.', max_length=50, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9_]*$', 'Small letters, digits and _ only.')])),
                        ('label', models.CharField(max_length=200)),
                        ('type', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('date', 'Date'), ('choice', 'One of several'), ('boolean', 'Yes or no')], default='text', max_length=20)),
                        ('options', models.JSONField(blank=True, default=list, help_text='What can be chosen, in order.')),
                        ('source', models.CharField(blank=True, help_text="Key of the connection; empty for an admin's own.", max_length=60)),
                        ('external_id', models.CharField(blank=True, max_length=128)),
                        ('enabled', models.BooleanField(default=False, help_text='In use: values are read, and conditions may ask about it.')),
                        ('created_at', models.DateTimeField()),
                        ('missing_since', models.DateTimeField(blank=True, help_text='When its source no longer had it.', null=True)),
                    ],
                    options={
                        'ordering': ['label', 'pk'],
                        'constraints': [models.UniqueConstraint(condition=models.Q(('external_id', ''), _negated=True), fields=('source', 'external_id'), name='one_custom_field_per_source_id')],
                    },
                ),
                migrations.CreateModel(
                    name='FieldProposal',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('changes', models.JSONField(help_text='Field → its new sources and visible_to.')),
                        ('before', models.JSONField(help_text='Field → sources and visible_to when this was proposed.')),
                        ('shown', models.JSONField(default=dict, help_text='Person → digest of what would change for them.')),
                        ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('created_at', models.DateTimeField()),
                        ('applied_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-pk'],
                    },
                ),
                migrations.CreateModel(
                    name='ListColumns',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='people_columns', to=settings.AUTH_USER_MODEL)),
                        ('columns', models.JSONField(default=list)),
                    ],
                    options={
                        'verbose_name_plural': 'list columns',
                    },
                ),
                migrations.CreateModel(
                    name='Person',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('work_email', models.EmailField(help_text='Lower-case.', max_length=254, unique=True)),
                        ('full_name', models.CharField(blank=True, max_length=300)),
                        ('preferred_name', models.CharField(blank=True, max_length=300)),
                        ('search_text', models.TextField(blank=True, help_text='Folded name, e-mail, title and ids, for search without accents.')),
                        ('remote_id', models.CharField(blank=True, db_index=True, help_text='Employment id of the primary record.', max_length=64)),
                        ('display_id', models.CharField(blank=True, max_length=32)),
                        ('job_title', models.CharField(blank=True, max_length=300)),
                        ('seniority', models.CharField(blank=True, max_length=200)),
                        ('manager', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reports', to='people.person')),
                        ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='people', to='people.team')),
                        ('country', models.CharField(blank=True, db_index=True, max_length=3)),
                        ('legal_entity', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='people', to='people.legalentity')),
                        ('worker_type', models.CharField(blank=True, choices=[('eor_employee', 'EOR Employee'), ('direct_employee', 'Direct Employee'), ('contractor', 'Contractor'), ('other', 'Other')], db_index=True, max_length=30)),
                        ('employment_type', models.CharField(blank=True, db_index=True, help_text='Key of an employment type.', max_length=60)),
                        ('personal_email', models.EmailField(blank=True, help_text='Where they are reached before their first day. Private.', max_length=254)),
                        ('contract_type', models.CharField(blank=True, max_length=100)),
                        ('contract_status', models.CharField(blank=True, choices=[('upcoming', 'Upcoming'), ('active', 'Active'), ('ended', 'Ended')], max_length=20)),
                        ('contract_status_raw', models.CharField(blank=True, max_length=100)),
                        ('status', models.CharField(choices=[('hired', 'Upcoming'), ('active', 'Active'), ('offboarding', 'Offboarding'), ('ended', 'Ended'), ('external', 'External')], db_index=True, default='external', max_length=20)),
                        ('start_date', models.DateField(blank=True, db_index=True, null=True)),
                        ('end_date', models.DateField(blank=True, db_index=True, null=True)),
                        ('contract_end_date', models.DateField(blank=True, null=True)),
                        ('date_of_birth', models.DateField(blank=True, null=True)),
                        ('probation_end_date', models.DateField(blank=True, db_index=True, null=True)),
                        ('timezone', models.CharField(blank=True, help_text='IANA name; blank if unknown.', max_length=64)),
                        ('language', models.CharField(blank=True, max_length=10)),
                        ('custom', models.JSONField(blank=True, default=dict)),
                        ('value_sources', models.JSONField(blank=True, default=dict, help_text='Field → key of the source whose value is shown.')),
                        ('known_at', models.JSONField(blank=True, default=dict, help_text='Date field → moment (ISO, UTC) at which its present value became known.')),
                        ('problems', models.JSONField(blank=True, default=list)),
                        ('problem_notes', models.JSONField(blank=True, default=list)),
                        ('has_problems', models.GeneratedField(db_persist=True, expression=models.Case(models.When(problems=[], then=models.Value(False)), default=models.Value(True)), output_field=models.BooleanField())),
                        ('protected', models.BooleanField(default=False, help_text='No automation may take anything from this person.')),
                        ('baseline_at', models.DateTimeField(blank=True, help_text='Set when the person came with a first import: no moment before it ever fires.', null=True)),
                        ('created_at', models.DateTimeField()),
                        ('updated_at', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name_plural': 'people',
                        'ordering': ['full_name', 'pk'],
                        'permissions': [('view_private_fields', 'Can see date of birth and other private fields'), ('view_raw_payload', 'Can see what the source sent'), ('export_people', 'Can export people')],
                        'indexes': [models.Index(fields=['full_name', 'id'], name='person_name_id'), models.Index(fields=['status', 'full_name', 'id'], name='person_status_name'), models.Index(fields=['status', 'has_problems'], name='person_status_counts'), models.Index(fields=['has_problems', 'status', 'full_name'], name='person_problems')],
                    },
                ),
                migrations.CreateModel(
                    name='PersonAlias',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='people.person')),
                        ('email', models.EmailField(max_length=254, unique=True)),
                        ('since', models.DateTimeField()),
                    ],
                    options={
                        'verbose_name_plural': 'person aliases',
                        'ordering': ['email'],
                    },
                ),
                migrations.CreateModel(
                    name='PersonChange',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='people.person')),
                        ('field', models.CharField(max_length=60)),
                        ('before', models.JSONField(null=True)),
                        ('after', models.JSONField(null=True)),
                        ('source', models.CharField(help_text='Connection key, or “manual”.', max_length=60)),
                        ('at', models.DateTimeField(db_index=True)),
                        ('correlation', models.CharField(blank=True, db_index=True, max_length=64)),
                    ],
                    options={
                        'ordering': ['-pk'],
                    },
                ),
                migrations.CreateModel(
                    name='PersonMerge',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kept', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='people.person')),
                        ('absorbed_name', models.CharField(blank=True, max_length=300)),
                        ('absorbed_email', models.EmailField(max_length=254)),
                        ('absorbed', models.JSONField(help_text='The row as it was, its changes and values by hand.')),
                        ('moved', models.JSONField(help_text='model.field → primary keys of the rows that moved.')),
                        ('reason', models.CharField(max_length=300)),
                        ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('done_at', models.DateTimeField()),
                        ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['-pk'],
                    },
                ),
                migrations.CreateModel(
                    name='Role',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('name', models.SlugField(max_length=60, unique=True)),
                        ('lead', models.ForeignKey(blank=True, help_text='Whom overdue tasks of the role go to.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='leads_roles', to='people.person')),
                        ('members', models.ManyToManyField(blank=True, related_name='roles', to='people.person')),
                    ],
                    options={
                        'ordering': ['name'],
                    },
                ),
                migrations.CreateModel(
                    name='WorkerTypeMapping',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('worker_type', models.CharField(choices=[('eor_employee', 'EOR Employee'), ('direct_employee', 'Direct Employee'), ('contractor', 'Contractor'), ('other', 'Other')], max_length=30, unique=True)),
                        ('employment_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='people.employmenttype')),
                    ],
                    options={
                        'ordering': ['worker_type'],
                    },
                ),
                migrations.CreateModel(
                    name='LifecycleEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('kind', models.CharField(choices=[('person.added', 'Person added'), ('person.changed', 'Person changed')], max_length=40)),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='people.person')),
                        ('field', models.CharField(blank=True, max_length=60)),
                        ('before', models.JSONField(null=True)),
                        ('after', models.JSONField(null=True)),
                        ('at', models.DateTimeField()),
                        ('key', models.CharField(help_text='SHA-256 over what happened: twice written, once kept.', max_length=64, unique=True)),
                        ('baseline', models.BooleanField(default=False, help_text='Came with a first import: starts nothing, ever.')),
                        ('consumed_at', models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        'ordering': ['pk'],
                        'indexes': [models.Index(condition=models.Q(('consumed_at__isnull', True)), fields=['id'], name='event_unconsumed')],
                    },
                ),
                migrations.CreateModel(
                    name='FieldOverride',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='people.person')),
                        ('field', models.CharField(max_length=60)),
                        ('value', models.JSONField(null=True)),
                        ('reason', models.CharField(max_length=300)),
                        ('set_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                        ('set_at', models.DateTimeField()),
                    ],
                    options={
                        'ordering': ['person', 'field'],
                        'constraints': [models.UniqueConstraint(fields=('person', 'field'), name='one_override_per_field')],
                    },
                ),
                migrations.CreateModel(
                    name='SavedView',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='people_views', to=settings.AUTH_USER_MODEL)),
                        ('name', models.CharField(max_length=60)),
                        ('query', models.TextField(blank=True, help_text="The query of the list's address, in order.")),
                        ('columns', models.JSONField(default=list, help_text="Keys of columns; empty: the reader's own.")),
                        ('shared', models.BooleanField(default=False, help_text='Everybody who sees the list has it.')),
                        ('created_at', models.DateTimeField()),
                    ],
                    options={
                        'ordering': ['name', 'pk'],
                        'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='one_view_per_name')],
                    },
                ),
                migrations.CreateModel(
                    name='SourceRecord',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('source', models.CharField(help_text='Key of the connection.', max_length=60)),
                        ('external_id', models.CharField(max_length=128)),
                        ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='source_records', to='people.person')),
                        ('values', models.JSONField(default=dict, help_text='The normalised record.')),
                        ('digest', models.CharField(max_length=64)),
                        ('is_live', models.BooleanField(default=True)),
                        ('is_primary', models.BooleanField(default=False)),
                        ('skip_reason', models.CharField(blank=True, max_length=300)),
                        ('first_seen_at', models.DateTimeField()),
                        ('changed_at', models.DateTimeField()),
                        ('missing_since', models.DateTimeField(blank=True, help_text='First complete sync in which the source no longer had it.', null=True)),
                    ],
                    options={
                        'ordering': ['source', 'external_id'],
                        'constraints': [models.UniqueConstraint(fields=('source', 'external_id'), name='one_record_per_source_id')],
                    },
                ),
            ],
        ),
        migrations.RunPython(make_index, take_index_away),
    ]
