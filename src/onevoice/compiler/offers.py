"""Offers, and the products that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onevoice.compiler.book import CODED
from onevoice.conditions.tree import OFFER_FAMILY, OFFER_PARAMETERS, OFFER_PRODUCT, OFFER_VALUE
from onevoice.playbook.model import FieldType
from onevoice.playbook.scopes import offer_parameters

if TYPE_CHECKING:
    from onevoice.compiler.book import Book
    from onevoice.tables import Floats


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
