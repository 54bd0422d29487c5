"""Forms of equipment: its state, the private form for an address, bundles."""

from __future__ import annotations

from typing import Any

import pycountry
from django import forms

from integrations.models import Bundle, Connection
from people.countries import country_name
from people.models import EmploymentType
from siit_remote.lib.keys import key_from
from workflows.bundles import BundleData
from workflows.models import Shipment
from workflows.shipment_states import NEXT


def countries() -> list[tuple[str, str]]:
    """Every country by name, alpha-3."""
    pairs = [(item.alpha_3, country_name(item.alpha_3)) for item in pycountry.countries]
    return sorted(pairs, key=lambda pair: pair[1])


class MoveForm(forms.Form):
    """To which state, with which tracking and words."""

    to = forms.ChoiceField(label="It is now")
    tracking = forms.CharField(label="Tracking number or link", max_length=200, required=False)
    text = forms.CharField(
        label="In a few words", max_length=1000, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    def __init__(self, *args: Any, shipment: Shipment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - as declared above
        choices = [state for state in NEXT[shipment.state] if state != "address_received"]
        field.choices = [(state, Shipment.State(state).label) for state in choices]


class LinkForm(forms.Form):
    """Where the form for an address is mailed; the mail address is not kept."""

    to = forms.EmailField(
        label="Mail the form to",
        required=False,
        help_text="Empty: their personal address, else their work mail once they have started. "
        "What you enter is not kept.",
        max_length=254,
    )


class AddressForm(forms.Form):
    """Where to send it: what a courier needs, nothing else."""

    name = forms.CharField(label="Name on the parcel", max_length=120)
    line1 = forms.CharField(label="Street and number", max_length=200)
    line2 = forms.CharField(label="Flat, floor, company (optional)", max_length=200, required=False)
    postcode = forms.CharField(label="Postcode (if there is one)", max_length=20, required=False)
    city = forms.CharField(label="Town or city", max_length=120)
    region = forms.CharField(label="State or region (optional)", max_length=120, required=False)
    country = forms.ChoiceField(label="Country")
    phone = forms.CharField(label="Phone for the courier (optional)", max_length=40, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - as declared above
        field.choices = [("", "Choose…"), *countries()]
        for name, hint in _AUTOFILL.items():
            self.fields[name].widget.attrs["autocomplete"] = hint


_AUTOFILL = {
    "name": "name",
    "line1": "address-line1",
    "line2": "address-line2",
    "postcode": "postal-code",
    "city": "address-level2",
    "region": "address-level1",
    "country": "country",
    "phone": "tel",
}


class BundleForm(forms.Form):
    """A bundle: what is in it, for whom, how it is shipped."""

    name = forms.CharField(label="Name", max_length=200)
    key = forms.SlugField(
        label="Key", max_length=60, required=False,
        help_text="Workflows name it by this; made from the name if empty.",
    )  # fmt: skip
    items = forms.CharField(
        label="What is in it, one on each line",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    employment_types = forms.MultipleChoiceField(
        label="For which employment types (none ticked: for everybody)",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    countries = forms.MultipleChoiceField(
        label="To which countries (none chosen: to every country)",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    connection = forms.ModelChoiceField(
        label="Shipped by",
        queryset=Connection.objects.none(),
        required=False,
        empty_label="IT, as a task",
    )
    active = forms.BooleanField(label="Offered", required=False, initial=True)

    def __init__(self, *args: Any, bundle: Bundle | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        types = self.fields["employment_types"]
        places = self.fields["countries"]
        ways = self.fields["connection"]
        assert isinstance(types, forms.MultipleChoiceField)  # noqa: S101 - as declared above
        assert isinstance(places, forms.MultipleChoiceField)  # noqa: S101 - as declared above
        assert isinstance(ways, forms.ModelChoiceField)  # noqa: S101 - as declared above
        types.choices = [(item.key, item.name) for item in EmploymentType.objects.all()]
        places.choices = countries()
        ways.queryset = Connection.objects.filter(connector="http").order_by("name")
        if not types.choices:
            del self.fields["employment_types"]
        if bundle is not None:
            del self.fields["key"]
            self.initial = {
                "name": bundle.name,
                "items": "\n".join(map(str, bundle.items)),
                "employment_types": bundle.employment_types,
                "countries": bundle.countries,
                "connection": bundle.connection_id,
                "active": bundle.active,
                **self.initial,
            }

    def data_of(self, bundle: Bundle | None) -> BundleData:
        """What was filled in, for the service."""
        found = self.cleaned_data
        lines = [" ".join(line.split())[:300] for line in found["items"].splitlines()]
        key = bundle.key if bundle else found["key"] or key_from(found["name"], kind="bundle")
        return BundleData(
            key=key,
            name=found["name"],
            items=[line for line in lines if line],
            countries=found["countries"],
            employment_types=found.get("employment_types", []),
            connection=found["connection"],
            active=found["active"],
        )
