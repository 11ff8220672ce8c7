"""The life of an order: prices, payment, fulfilment, refunds."""
