"""Makes our site admin the default one. Apart, because it is read before there are models."""

from django.contrib.admin.apps import AdminConfig


class SiitAdminConfig(AdminConfig):
    """Makes :class:`siit_remote.admin_site.SiitAdminSite` the default site."""

    default_site = "siit_remote.admin_site.SiitAdminSite"
