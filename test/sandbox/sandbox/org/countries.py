"""What differs between organisations of different countries."""

COUNTRIES = {
    "AU": {"currency": "AUD", "country": "Australia", "code": "AU", "timezone": "AUSEASTERNSTANDARDTIME", "rate": 10,
           "tax": "GST", "sales": "OUTPUT", "purchases": "INPUT", "free": "EXEMPTOUTPUT", "free_in": "EXEMPTEXPENSES",
           "city": "Melbourne", "region": "VIC", "postcode": "3000", "dial": "61"},
    "UK": {"currency": "GBP", "country": "United Kingdom", "code": "GB", "timezone": "GMTSTANDARDTIME", "rate": 20,
           "tax": "VAT", "sales": "OUTPUT2", "purchases": "INPUT2", "free": "ZERORATEDOUTPUT",
           "free_in": "ZERORATEDINPUT", "city": "Milton Keynes", "region": "Bucks", "postcode": "MK9 1EB",
           "dial": "44"},
    "NZ": {"currency": "NZD", "country": "New Zealand", "code": "NZ", "timezone": "NEWZEALANDSTANDARDTIME", "rate": 15,
           "tax": "GST", "sales": "OUTPUT2", "purchases": "INPUT2", "free": "ZERORATED", "free_in": "NONE",
           "city": "Wellington", "region": "Wellington", "postcode": "6011", "dial": "64"},
}
