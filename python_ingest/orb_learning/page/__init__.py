"""The page: what the reports show, as one HTML file that needs no network.

``reports`` lists the views that the page is made from, and reads them. ``panels`` says which
figures each section shows, and ``charts`` how they are drawn. ``writing`` puts both, the library
that draws (Vega) and the scripts into one file. ``serving`` serves the same page. Every figure is
selected from a view, for every value of the filters: the browser only picks rows.
"""

from orb_learning.page.writing import write_page

__all__ = ["write_page"]
