"""Offers, and the products that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice import program as at
from onevoice.compiler.book import CODED
from onevoice.compiler.rows import Groups
from onevoice.conditions.tree import OFFER_FAMILY, OFFER_PARAMETERS, OFFER_PRODUCT, OFFER_VALUE, Type
from onevoice.playbook.model import FieldType
from onevoice.playbook.scopes import computed_parameters, offer_parameters

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.compiler.rows import Grouped
    from onevoice.tables import Floats, Ints


def compile_offers(book: Book) -> Floats:
    """Return float64[offer, value, product, family, parameter …]; NaN where an offer does not say."""
    parameters = offer_parameters(book.playbook)
    offers = np.full((len(book.offers), OFFER_PARAMETERS + len(parameters)), np.nan)
    for row, offer in zip(offers, book.playbook.offers.values(), strict=True):
        row[OFFER_VALUE] = offer.value
        if offer.product:
            row[OFFER_PRODUCT] = book.names.code(offer.product)
        row[OFFER_FAMILY] = book.names.code(offer.family or offer.name)
        for column, name in enumerate(parameters, OFFER_PARAMETERS):
            value = offer.parameters.get(name)
            if value is not None:
                row[column] = book.names.code(value) if isinstance(value, str) else value
    return offers


def compile_computed(book: Book) -> Grouped:
    """Return the parameters that expressions give, offer by offer; of an offer that no campaign makes none is asked."""
    made = {name for campaign in book.playbook.campaigns.values() for name in campaign.offers}
    columns, scope = computed_parameters(book.playbook), book.scopes.suppression("a parameter")
    rows = Groups()
    for number, offer in enumerate(book.playbook.offers.values()):
        for name, text in offer.computed.items() if offer.name in made else ():
            rows.add(number, [columns[name], book.condition(text, scope, Type.NUMBER)])
    return rows.laid_out(len(book.offers), at.COMPUTED_EXPRESSION + 1)


def compile_proposals(book: Book, computed: Ints) -> Grouped:
    """Return campaign by campaign what it may propose; `computed`: the range of each offer's computed parameters."""
    scope = book.scopes.suppression("an offer")
    rows = Groups()
    for number, campaign in enumerate(book.playbook.campaigns.values()):
        for name in campaign.offers:
            offer = book.playbook.offers[name]
            condition = book.condition(offer.condition, scope, Type.BOOLEAN)
            product = book.names.code(offer.product) if offer.product else -1
            family, called = book.names.code(offer.family or name), book.names.code(name)
            place = book.offers[name]
            rows.add(number, [number, place, condition, product, family, *computed[place].tolist(), called])
        if not campaign.offers:
            rows.add(number, [number, -1, -1, -1, -1, 0, 0, -1])
    return rows.laid_out(len(book.campaigns), at.PROPOSAL_WIDTH)


def compile_products(book: Book) -> Floats:
    """Return float64[product, catalogue column]; NaN where unknown, and for what no condition reads."""
    catalogue = book.playbook.products
    products = np.full((len(catalogue.names), max(len(catalogue.fields), 1)), np.nan)
    for column, (name, kind) in enumerate(catalogue.fields.items()):
        if kind not in {FieldType.TEXT, FieldType.KEY} and name in catalogue.columns:
            products[:, column] = [_number(book, kind, value) for value in catalogue.columns[name]]
    return products


def _number(book: Book, kind: FieldType, value: str | float | None) -> float:
    if value is None:
        return np.nan
    return book.names.code(str(value)) if kind in CODED else float(value)
