"""The page: what the reports say, as one HTML file that needs no network.

``reports`` lists the views that the page is made from and reads them; ``panels`` says which figures
are shown and ``charts`` how they are drawn; ``writing`` puts both, the library that draws (Vega)
and ``page.js`` into one file. Every figure is selected from a view, for every choice of the
filters: the browser only picks rows.
"""
