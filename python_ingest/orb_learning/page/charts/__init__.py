"""How a panel's figures are drawn."""
