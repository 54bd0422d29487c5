"""Django's admin in the shell of the product."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class SiitAdminSite(admin.AdminSite):
    """The one admin site."""

    site_header = "Siit × Remote"
    site_title = "Siit × Remote"
    index_title = "Site admin"


class SiitAdminConfig(AdminConfig):
    """Makes :class:`SiitAdminSite` the default site."""

    default_site = "siit_remote.admin_site.SiitAdminSite"
