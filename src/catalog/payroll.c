/*-------------------------------------------------------------------------
 *
 * payroll.c
 *	  Payroll APIs: employees.
 *
 * Data only.  See catalog.h and writes.h for what the members mean, and rows.h
 * for the short names used here.
 *
 *-------------------------------------------------------------------------
 */
#include "compat.h"

#include "catalog/rows.h"

/* INDENT OFF */

/* payroll_au.employees */

static const XeroColumn payroll_au_employees_columns[] = {
	C(employee_id, "EmployeeID", UUID, LEGAL, FULL, KEY, "Xero's identifier of the employee"),
	C(first_name, "FirstName", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "First name"),
	C(last_name, "LastName", TEXT, LEGAL, FULL, NOT_NULL | REQUIRED, "Last name"),
	C(date_of_birth, "DateOfBirth", DATE, LEGAL, FULL, ORDER | REQUIRED, "Date of birth"),
	C(home_address, "HomeAddress", JSONB, NONE, SINGLE, WRITABLE, "Home address"),
	C(start_date, "StartDate", DATE, LEGAL, FULL, ORDER | WRITABLE, "First day of employment"),
	C(title, "Title", TEXT, LEGAL, FULL, WRITABLE, "Form of address"),
	C(middle_names, "MiddleNames", TEXT, LEGAL, FULL, WRITABLE, "Middle names"),
	C(email, "Email", TEXT, LEGAL, FULL, WRITABLE, "E-mail address"),
	C(gender, "Gender", TEXT, LEGAL, FULL, WRITABLE, "Gender, as one letter"),
	C(phone, "Phone", TEXT, LEGAL, FULL, WRITABLE, "Phone number"),
	C(mobile, "Mobile", TEXT, LEGAL, FULL, WRITABLE, "Mobile phone number"),
	C(twitter_user_name, "TwitterUserName", TEXT, LEGAL, FULL, WRITABLE, "Twitter name"),
	C(is_authorised_to_approve_leave, "IsAuthorisedToApproveLeave", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the employee may approve leave"),
	C(is_authorised_to_approve_timesheets, "IsAuthorisedToApproveTimesheets", BOOLEAN, LEGAL, FULL, WRITABLE, "Whether the employee may approve timesheets"),
	C(job_title, "JobTitle", TEXT, LEGAL, FULL, WRITABLE, "Job title"),
	C(classification, "Classification", TEXT, LEGAL, FULL, WRITABLE, "Classification"),
	C(ordinary_earnings_rate_id, "OrdinaryEarningsRateID", UUID, LEGAL, FULL, WRITABLE, "Earnings rate for ordinary hours"),
	C(payroll_calendar_id, "PayrollCalendarID", UUID, LEGAL, FULL, WRITABLE, "Payroll calendar"),
	C(employee_group_name, "EmployeeGroupName", TEXT, LEGAL, FULL, WRITABLE, "Group, for reports"),
	C(termination_date, "TerminationDate", DATE, LEGAL, FULL, ORDER | WRITABLE, "Last day of employment"),
	C(termination_reason, "TerminationReason", TEXT, LEGAL, FULL, WRITABLE, "Why employment ended, as one letter"),
	C(bank_accounts, "BankAccounts", JSONB, NONE, SINGLE, WRITABLE, "Bank accounts wages are paid to"),
	C(pay_template, "PayTemplate", JSONB, NONE, SINGLE, WRITABLE, "What a payslip starts from"),
	C(opening_balances, "OpeningBalances", JSONB, NONE, SINGLE, WRITABLE, "Opening balances"),
	C(tax_declaration, "TaxDeclaration", JSONB, NONE, SINGLE, WRITABLE, "Tax declaration"),
	C(income_type, "IncomeType", TEXT, LEGAL, FULL, ENUM | WRITABLE, "Income type for Single Touch Payroll"),
	C(employment_type, "EmploymentType", TEXT, LEGAL, FULL, ENUM | WRITABLE, "EMPLOYEE or CONTRACTOR"),
	C(country_of_residence, "CountryOfResidence", TEXT, LEGAL, FULL, WRITABLE, "ISO 3166 code of the country of residence"),
	C(is_stp2_qualified, "IsSTP2Qualified", BOOLEAN, LEGAL, FULL, 0, "Whether the record meets Single Touch Payroll phase 2"),
	C(leave_balances, "LeaveBalances", JSONB, NONE, SINGLE, 0, "Leave balances"),
	C(super_memberships, "SuperMemberships", JSONB, NONE, SINGLE, WRITABLE, "Superannuation memberships"),
	C(status, "Status", TEXT, LEGAL, FULL, ENUM, "ACTIVE or TERMINATED"),
	C(updated_date_utc, "UpdatedDateUTC", TIMESTAMPTZ, LEGAL, FULL, NOT_NULL | ORDER, "Time of the last change"),
	C(validation_errors, "ValidationErrors", JSONB, NONE, FULL, 0, "Validation messages, present in answers to writes"),
};

#define EMPLOYEES_AU \
	.key = "employee_id", \
	COLUMNS(payroll_au_employees_columns), \
	.wrapper = "Employees", .order = "EmployeeID", \
	.paging = XERO_PAGING_BARE, .default_page_size = 100, \
	.has_where = true, .has_modified_since = true, \
	.typical_rows = 50, \
	SCOPE("payroll.employees"), \
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE, \
	.max_batch = 1, \
	WRITES( \
		.create = "POST", .update = "POST", .envelope = XERO_ENVELOPE_ARRAY, \
		.labels = {"first_name", "last_name"})

const XeroObject xero_object_payroll_au_employees = {
	.api = &xero_api_payroll_au, .name = "Employees", .table_name = "employees",
	.comment = "Employees (Australian payroll)",
	EMPLOYEES_AU,
};

const XeroObject xero_object_payroll_au_employee_details = {
	.api = &xero_api_payroll_au, .name = "EmployeeDetails", .table_name = "employee_details",
	.path = "Employees", .details = true,
	.comment = "Employees with pay, tax and bank details (Australian payroll); one call per employee",
	EMPLOYEES_AU,
};

/* payroll_uk.employees */

static const XeroColumn payroll_uk_employees_columns[] = {
	C(employee_id, "employeeID", UUID, NONE, FULL, NOT_NULL, "Xero's identifier of the employee"),
	C(title, "title", TEXT, NONE, FULL, REQUIRED, "Form of address"),
	C(first_name, "firstName", TEXT, NONE, FULL, NOT_NULL | REQUIRED, "First name"),
	C(last_name, "lastName", TEXT, NONE, FULL, NOT_NULL | REQUIRED, "Last name"),
	C(date_of_birth, "dateOfBirth", DATE, NONE, FULL, REQUIRED, "Date of birth"),
	C(address, "address", JSONB, NONE, FULL, REQUIRED, "Home address"),
	C(email, "email", TEXT, NONE, FULL, WRITABLE, "E-mail address"),
	C(gender, "gender", TEXT, NONE, FULL, REQUIRED, "M or F"),
	C(phone_number, "phoneNumber", TEXT, NONE, FULL, WRITABLE, "Phone number"),
	C(start_date, "startDate", DATE, NONE, FULL, WRITABLE, "First day of employment"),
	C(end_date, "endDate", DATE, NONE, FULL, 0, "Last day of employment"),
	C(payroll_calendar_id, "payrollCalendarID", UUID, NONE, FULL, 0, "Payroll calendar"),
	C(updated_date_utc, "updatedDateUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time of the last change"),
	C(created_date_utc, "createdDateUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time of creation"),
	C(ni_category, "niCategory", TEXT, NONE, FULL, 0, "National Insurance category, as one letter"),
	C(ni_categories, "niCategories", JSONB, NONE, FULL, 0, "National Insurance categories over time"),
	C(national_insurance_number, "nationalInsuranceNumber", TEXT, NONE, FULL, WRITABLE, "National Insurance number"),
	C(is_off_payroll_worker, "isOffPayrollWorker", BOOLEAN, NONE, FULL, WRITABLE, "Whether the off-payroll working rules apply"),
	C(contracts, "contracts", JSONB, NONE, FULL, 0, "Employment contracts"),
};

const XeroObject xero_object_payroll_uk_employees = {
	.api = &xero_api_payroll_uk, .name = "Employees", .table_name = "employees",
	.comment = "Employees (UK payroll)",
	.key = "employee_id",
	COLUMNS(payroll_uk_employees_columns),
	.wrapper = "employees",
	.paging = XERO_PAGING_PAGE, .default_page_size = 100,
	.typical_rows = 50,
	SCOPE("payroll.employees"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE,
	.max_batch = 1,
	WRITES(
		.create = "POST", .update = "PUT", .envelope = XERO_ENVELOPE_BARE,
		.labels = {"first_name", "last_name"},
		/* PUT replaces the whole record, so all of it goes along */
		.with_update = {"title", "first_name", "last_name", "date_of_birth", "address", "email", "gender", "phone_number", "start_date", "national_insurance_number", "is_off_payroll_worker"}),
};

/* payroll_nz.employees */

static const XeroColumn payroll_nz_employees_columns[] = {
	C(employee_id, "employeeID", UUID, NONE, FULL, NOT_NULL, "Xero's identifier of the employee"),
	C(title, "title", TEXT, NONE, FULL, WRITABLE, "Form of address"),
	C(first_name, "firstName", TEXT, NONE, FULL, NOT_NULL | REQUIRED, "First name"),
	C(last_name, "lastName", TEXT, NONE, FULL, NOT_NULL | REQUIRED, "Last name"),
	C(date_of_birth, "dateOfBirth", DATE, NONE, FULL, REQUIRED, "Date of birth"),
	C(address, "address", JSONB, NONE, FULL, REQUIRED, "Home address"),
	C(email, "email", TEXT, NONE, FULL, WRITABLE, "E-mail address"),
	C(gender, "gender", TEXT, NONE, FULL, WRITABLE, "M or F"),
	C(phone_number, "phoneNumber", TEXT, NONE, FULL, WRITABLE, "Phone number"),
	C(start_date, "startDate", DATE, NONE, FULL, WRITABLE, "First day of employment"),
	C(end_date, "endDate", DATE, NONE, FULL, 0, "Last day of employment"),
	C(payroll_calendar_id, "payrollCalendarID", UUID, NONE, FULL, 0, "Payroll calendar"),
	C(updated_date_utc, "updatedDateUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time of the last change"),
	C(created_date_utc, "createdDateUTC", TIMESTAMPTZ, NONE, FULL, 0, "Time of creation"),
	C(job_title, "jobTitle", TEXT, NONE, FULL, WRITABLE, "Job title"),
	C(engagement_type, "engagementType", TEXT, NONE, FULL, WRITABLE, "Kind of engagement"),
	C(fixed_term_end_date, "fixedTermEndDate", DATE, NONE, FULL, WRITABLE, "Last day of a fixed-term engagement"),
};

const XeroObject xero_object_payroll_nz_employees = {
	.api = &xero_api_payroll_nz, .name = "Employees", .table_name = "employees",
	.comment = "Employees (New Zealand payroll)",
	.key = "employee_id",
	COLUMNS(payroll_nz_employees_columns),
	.wrapper = "employees",
	.paging = XERO_PAGING_PAGE, .default_page_size = 100,
	.typical_rows = 50,
	SCOPE("payroll.employees"),
	.operations = XERO_OP_LIST | XERO_OP_GET | XERO_OP_CREATE | XERO_OP_UPDATE,
	.max_batch = 1,
	WRITES(
		.create = "POST", .update = "PUT", .envelope = XERO_ENVELOPE_BARE,
		.labels = {"first_name", "last_name"},
		/* PUT replaces the whole record, so all of it goes along */
		.with_update = {"title", "first_name", "last_name", "date_of_birth", "address", "email", "gender", "phone_number", "start_date", "job_title", "engagement_type", "fixed_term_end_date"}),
};
