"""Payroll employees, in the schema of the organisation's country.

AU: payroll 1.0, PascalCase, /Date()/.  UK and NZ: payroll 2.0, camelCase, ISO
times without a zone.
"""
from ..seeds import mix
from ..values import DAY_MS, Day, Instant, Iso, Number, day, iso_seconds, money

COUNT = 130
FIRST = ["Jack", "Zoë", "O'Neil", "Björn", "Mere", "李", "Anne-Marie", "Chelsea"]
LAST = ["Sparrow", "Ängström", "O'Brien", "Smith \"Smithy\"", "Tūhoe", "Allan", "Serati"]


def employees(org):
    make = _australian if org.country == "AU" else _british_or_kiwi
    return [make(org, n, mix(org.key("Employees") + n)) for n in range(COUNT)]


def _australian(org, n, h):
    def uid(kind, k=0):
        return org.ids("payroll " + kind).of(k)
    active = n % 6 != 5
    record = {
        "EmployeeID": uid("employee", n), "FirstName": FIRST[n % 8], "LastName": LAST[n % 7], "Status":
        "ACTIVE" if active else "TERMINATED", "Email": f"e{n}@example.com" if n % 3 else None,
        "DateOfBirth": Day(day("1955-01-01") + h % 15000 * DAY_MS), "Gender": "NMFI"[n % 4],
        "StartDate": Day(day("2019-01-07") + n * DAY_MS), "OrdinaryEarningsRateID": uid("rate"),
        "PayrollCalendarID": uid("calendar", n % 2), "IsSTP2Qualified": n % 2 == 0,
        "UpdatedDateUTC": Instant(day("2024-01-01") + h % (900 * DAY_MS)),
        "HomeAddress": {"AddressLine1": f"{n} Main St", "AddressLine2": "Flat \"B\"", "City": "Melbourne",
                        "Region": "VIC", "PostalCode": "3000", "Country": "AUSTRALIA"}}
    if n % 2:
        record.update({
            "Title": "Dr", "MiddleNames": "José", "Phone": "4153332323", "Mobile": "415-1234567",
            "TwitterUserName": "@x", "IsAuthorisedToApproveLeave": True, "IsAuthorisedToApproveTimesheets": False,
            "JobTitle": "Head of \\ IT", "Classification": "99383", "EmployeeGroupName": "Marketing & Sales",
            "IncomeType": "SALARYANDWAGES", "EmploymentType": "EMPLOYEE", "CountryOfResidence": "AU",
            "BankAccounts": [{"StatementText": "Salary", "AccountName": "J Smith", "BSB": "122344",
                              "AccountNumber": "345678", "Remainder": True, "Amount": money(0)}],
            "PayTemplate": {"EarningsLines": [{"EarningsRateID": uid("rate"), "CalculationType": "ENTEREARNINGSRATE",
                                               "AnnualSalary": Number("1000.0000"), "RatePerUnit": Number("20.1234"),
                                               "NormalNumberOfUnits": Number("38.0000")}],
                            "DeductionLines": [], "SuperLines": [], "ReimbursementLines": [], "LeaveLines": []},
            "OpeningBalances": {"OpeningBalanceDate": Day(day("2020-07-01")), "Tax": Number("4333.00"),
                                "EarningsLines": [], "DeductionLines": [], "SuperLines": [], "ReimbursementLines": [],
                                "LeaveLines": [], "PaidLeaveEarningsLines": []},
            "TaxDeclaration": {"EmployeeID": uid("employee", n), "EmploymentBasis": "FULLTIME", "TaxFileNumber":
                               "123123123", "AustralianResidentForTaxPurposes": True, "ResidencyStatus":
                               "AUSTRALIANRESIDENT", "TaxFreeThresholdClaimed": True, "HasHELPDebt": False,
                               "UpdatedDateUTC": Instant(day("2024-05-05") + n)},
            "LeaveBalances": [{"LeaveName": "Annual Leave", "LeaveTypeID": uid("leave"), "NumberOfUnits":
                               Number("81.2602"), "TypeOfUnits": "Hours"}],
            "SuperMemberships": [{"SuperMembershipID": uid("super", n), "SuperFundID": uid("fund"),
                                  "EmployeeNumber": "1234"}], "ValidationErrors": []})
    if not active:
        record.update({"TerminationDate": Day(day("2025-06-30") + n * DAY_MS), "TerminationReason": "VIDRFCT"[n % 7]})
    return record


def _british_or_kiwi(org, n, h):
    def uid(kind, k=0):
        return org.ids("payroll " + kind).of(k)

    def date(first, span):
        return Iso(iso_seconds(day(first) + h % span * DAY_MS))
    updated = day("2024-01-01") + h % (900 * DAY_MS)
    uk = org.country == "UK"
    record = {
        "employeeID": uid("employee", n), "title": "Ms" if n % 2 else "Mr", "firstName": FIRST[n % 8],
        "lastName": LAST[n % 7], "dateOfBirth": date("1955-01-01", 15000), "gender": "MF"[n % 2],
        "email": f"e{n}@example.com" if n % 3 else None, "phoneNumber": f"0{h % 10**9}" if n % 4 else None,
        "startDate": date("2019-01-07", 900), "endDate": date("2025-01-07", 300) if n % 6 == 5 else None,
        "address": {"addressLine1": f"{n} Midsummer \"Blvd\"", "addressLine2": None, "city": org.locale["city"],
                    **({} if uk else {"suburb": "Te Aro"}), "postCode": org.locale["postcode"],
                    "countryName": org.locale["country"].upper()},
        "payrollCalendarID": uid("calendar", n % 2) if n % 5 else None,
        "updatedDateUTC": Iso(iso_seconds(updated)), "createdDateUTC": Iso(iso_seconds(updated - 30 * DAY_MS) + ".1234567")}
    if uk:
        record.update({
            "niCategory": "ABCFHIJLMSVXZ"[n % 13], "nationalInsuranceNumber": f"AB{h % 10**6:06d}C",
            "isOffPayrollWorker": n % 9 == 0, "niCategories": [
                {"startDate": date("2020-05-01", 300), "niCategory": "A", "niCategoryID": n, "workplacePostcode": "MK9 1EB",
                 "dateFirstEmployedAsCivilian": None}],
            "contracts": [{"startDate": date("2020-05-01", 300), "employmentStatus": "Employee", "contractType":
                           "FullTime", "publicKey": uid("contract", n), "isFixedTerm": False,
                           "fixedTermEndDate": None}] if n % 2 else []})
    else:
        record.update({"jobTitle": "Kaiārahi", "engagementType": "FixedTerm" if n % 4 == 1 else "Permanent",
                       "fixedTermEndDate": date("2026-01-01", 300) if n % 4 == 1 else None})
    return record
