"""Everything that is neither a setting, a contact nor an invoice."""


class Documents:
    def __init__(self, org):
        self.org = org

    def attachments(self, _kind, _key, _n):
        return []

    def credit_on_invoice(self, kind, row):
        return {}

    def other_payments(self):
        return []

    def batch_of_payment(self, number):
        return None
