"""Invented people's names, and the other spelling under which some agencies hold them."""

from __future__ import annotations

import unicodedata

import pyarrow as pa

# family name, the spelling of another agency ("" = spelled alike); both compare equal (FEEDS, "Identity")
_FAMILY = """
Čačić/Cacic Šarić/Saric Đurić/Duric Žgela/Zgela Ćosić/COSIC Horvat Kovačević/Kovacevic Babić/BABIC Marić/Maric
Jurić/Juric Novak/NOVAK Knežević/Knezevic Vuković/Vukovic Petrović/Petrovic Matić/Matic Tomić/Tomic Pavlović/Pavlovic
Kovačić/Kovacic Božić/Bozic Blažević/Blazevic Grgić/Grgic Pavić/Pavic Radić/Radic Perić/Peric Filipović/Filipovic
Lovrić/Lovric Šimić/Simic Vidović/Vidovic Bošnjak/Bosnjak Popović/Popovic Martinović/Martinovic Nikolić/Nikolic
Strauß/Strauss Weiß/Weiss Müller/Mueller Jäger/Jaeger Köhler/Koehler Schröder/SCHRÖDER Bäcker/Backer Größ/Gross
Nuñez/Nunez García/Garcia Gonçalves/Goncalves Łukasz/Lukasz Wójcik/Wojcik Kowalski Nowak Żak/Zak Dvořák/Dvorak
Novotný/Novotny Černý/Cerny Procházka/Prochazka Nagy Szabó/Szabo Tóth/Toth Kiss Molnár/Molnar Popescu Ionescu
Rossi/ROSSI Bianchi Ferrari Russo Esposito D'Angelo/DAngelo O'Brien/OBRIEN Smith-Jones/Smith~Jones Lefèvre/Lefevre
Dubois Moreau Bernard Petit Durand Lambert/lambert Andersen Hansen Larsen Nilsson Lindqvist Virtanen Mäkelä/Makela
Papadopoulos Dimitrov Ivanova Todorov Kaya Demir Silva Santos Costa Pereira Almeida Vries/VRIES Jansen Bakker Visser
Zupan Kos Mlakar Vidmar Golob Turk Kotnik Hribar Potočnik/Potocnik Kralj/KRALJ Zorić/Zoric Ivanišević/Ivanisevic
"""
_GIVEN = """
Ana Marija Ivana Petra Lucija Mia Ema Sara Nika Lana Dora Tena Marta Katarina Jelena Mirjana Ljiljana Dubravka
Ivan Luka Marko Josip Stjepan Tomislav Željko Krešimir Zoran Goran Mladen Hrvoje Dražen Šime Nikola Petar Filip
Anna Eva Sofia Laura Julia Hanna Clara Emma Greta Ingrid Astrid Zoë Chloé Inés Lucía Björn Jürgen Søren André Łukasz
Thomas Martin Daniel Michael David Peter Paul Max Felix Oskar Leo Hugo Matteo Marco Luca Pedro João Diego Pavel Jan
"""


def _family_names() -> tuple[list[str], list[str]]:
    plain, other = [], []
    for pair in _FAMILY.split():
        name, _, spelled = pair.partition("/")
        plain.append(name)
        if spelled:
            other.append(spelled.replace("~", " "))
        else:  # a decomposed spelling: the same letters as other code points
            other.append(unicodedata.normalize("NFD", name))
    return plain, other


FAMILY, _OTHER = _family_names()
GIVEN = _GIVEN.split()
FAMILY_SPELLINGS = pa.array(FAMILY + _OTHER)  # spelling i + len(FAMILY) is the other spelling of name i
GIVEN_NAMES = pa.array(GIVEN)
