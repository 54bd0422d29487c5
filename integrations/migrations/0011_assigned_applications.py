"""Applications assigned at the provider get a way of their own; counts know that they are old."""

from django.db import migrations, models

_PREFIX = "app:"


def own_way(apps, schema_editor):
    """What was written as a group “app: GitHub” at Okta is an assignment."""
    rows = apps.get_model("integrations", "Application").objects.filter(
        provision_by="group", connection__connector="okta"
    )
    for row in rows:
        name = str((row.provision or {}).get("group") or "").strip()
        if name.lower().startswith(_PREFIX) and name[len(_PREFIX) :].strip():
            rest = {key: value for key, value in row.provision.items() if key != "group"}
            row.provision = rest | {"app": name[len(_PREFIX) :].strip()}
            row.provision_by = "app"
            row.save(update_fields=["provision", "provision_by"])


def as_group(apps, schema_editor):
    """Back to the group's name that stands for it."""
    for row in apps.get_model("integrations", "Application").objects.filter(provision_by="app"):
        rest = {key: value for key, value in row.provision.items() if key != "app"}
        row.provision = rest | {"group": f"{_PREFIX} {row.provision.get('app', '')}"}
        row.provision_by = "group"
        row.save(update_fields=["provision", "provision_by"])


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0010_outages_of_targets"),
    ]

    operations = [
        migrations.AddField(
            model_name="accessreading",
            name="changed",
            field=models.BooleanField(
                default=False, help_text="Something happened since its differences were counted."
            ),
        ),
        migrations.AlterField(
            model_name="application",
            name="provision",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="As {'group': 'github-users'} or {'app': 'GitHub'}.",
            ),
        ),
        migrations.AlterField(
            model_name="application",
            name="provision_by",
            field=models.CharField(
                choices=[
                    ("group", "By membership of a group"),
                    ("app", "By assignment of an application there"),
                    ("account", "By an account of its own"),
                    ("http", "By a signed call"),
                    ("task", "By hand, as a task"),
                ],
                default="task",
                max_length=20,
            ),
        ),
        migrations.RunPython(own_way, as_group),
    ]
