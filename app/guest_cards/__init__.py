"""Guest cards: what distributors give friends so that they try the brand.

* `templates`  what a card is good for, and how many each level may give
* `sharing`    a giver's quota of the month, and cards on their way to a friend
* `claiming`   a friend takes a card, and belongs to the giver by the rules of ownership
* `booking`    times at a store
* `redeeming`  uses at the counter, one row for each
* `ending`     what lapses, expires or is revoked
* `settling`   what stores owe each other, and what cards bring
"""
