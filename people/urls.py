"""Addresses of the directory."""

from django.urls import path

from people import (
    as_of_views,
    fields_custom_views,
    fields_override_views,
    fields_views,
    identity_views,
    list_views,
    places_views,
    problems_views,
    profile_views,
    views,
)

urlpatterns = [
    path("people/", views.people, name="people"),
    path(
        "people/<int:pk>/override/",
        fields_override_views.person_overrides,
        name="person-overrides",
    ),
    path(
        "people/<int:pk>/override/<str:field>/",
        fields_override_views.person_override,
        name="person-override",
    ),
    path(
        "people/<int:pk>/override/<str:field>/remove/",
        fields_override_views.person_override_remove_now,
        name="person-override-remove",
    ),
    path("people/as-of/", as_of_views.people_then, name="people-then"),
    path("people/problems/", problems_views.problems, name="people-problems"),
    path("people/teams/", places_views.team_list, name="teams"),
    path("people/teams/<int:pk>/", places_views.team, name="team"),
    path("people/entities/", places_views.entity_list, name="entities"),
    path("people/entities/<int:pk>/", places_views.entity, name="entity"),
    path("people/locations/", places_views.location_list, name="locations"),
    path("people/locations/<str:code>/", places_views.location, name="location"),
    path("people/employment-types/", places_views.types, name="employment-types"),
    path("people/<int:pk>/merge/", identity_views.merge, name="person-merge"),
    path("people/<int:pk>/split/", identity_views.split, name="person-split"),
    path("people/merges/<int:pk>/undo/", identity_views.unmerge, name="person-unmerge"),
    path("people/<int:pk>/", profile_views.person, name="person"),
    path("settings/fields/", fields_views.fields, name="fields"),
    path("settings/fields/preview/<int:pk>/", fields_views.proposal, name="fields-proposal"),
    path(
        "settings/fields/preview/<int:pk>/apply/",
        fields_views.proposal_apply_now,
        name="fields-proposal-apply",
    ),
    path(
        "settings/fields/preview/<int:pk>/again/",
        fields_views.proposal_show_again,
        name="fields-proposal-again",
    ),
    path(
        "settings/fields/preview/<int:pk>/discard/",
        fields_views.proposal_discard,
        name="fields-proposal-discard",
    ),
    path("settings/fields/custom/", fields_custom_views.custom_fields, name="custom-fields"),
    path(
        "settings/fields/custom/look/",
        fields_custom_views.custom_fields_look,
        name="custom-fields-look",
    ),
    path(
        "settings/fields/custom/new/",
        fields_custom_views.custom_field_new,
        name="custom-field-new",
    ),
    path(
        "settings/fields/custom/own/<slug:key>/",
        fields_custom_views.custom_field,
        name="custom-field",
    ),
    path(
        "settings/fields/custom/use/<slug:key>/",
        fields_custom_views.custom_field_use,
        name="custom-field-use",
    ),
    path("settings/fields/<str:key>/", fields_views.field, name="field"),
    path("people/views/save/", list_views.save, name="people-view-save"),
    path("people/views/<int:pk>/change/", list_views.change, name="people-view-change"),
    path("people/views/<int:pk>/delete/", list_views.delete, name="people-view-delete"),
    path("people/columns/", list_views.columns, name="people-columns"),
]
