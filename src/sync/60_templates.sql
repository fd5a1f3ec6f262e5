-- Templates: definitions of syncs that only want a local table.
--
-- A template is a row of data, which anybody may read.  Ours have no owner.  Each
-- role makes templates of its own, and only those are dumped, with their roles'
-- names.  What a template says runs with the rights of whoever makes a sync from
-- it, so a sync is made from a template of ours, of the role itself, or of a role
-- that it names.

CREATE TABLE xero_fdw.sync_templates (
	owner name,
	template text NOT NULL,
	description text,
	objects text[] NOT NULL,
	direction text NOT NULL,
	fields jsonb NOT NULL,
	match_on text[],
	xero_filter text,
	local_filter text,
	conflict text NOT NULL DEFAULT 'newest',
	initial text NOT NULL DEFAULT 'merge',
	on_delete text NOT NULL DEFAULT 'ignore',
	UNIQUE NULLS NOT DISTINCT (owner, template)
);
COMMENT ON TABLE xero_fdw.sync_templates IS
	'definitions for create_sync_from(); make your own by create_template()';
COMMENT ON COLUMN xero_fdw.sync_templates.owner IS
	'role that made it; null for those of the extension';
COMMENT ON COLUMN xero_fdw.sync_templates.template IS
	'name of the template, one of its owner''s';
COMMENT ON COLUMN xero_fdw.sync_templates.description IS 'what it is for';
COMMENT ON COLUMN xero_fdw.sync_templates.objects IS
	'objects of xero_fdw.objects that the foreign table may be of';
COMMENT ON COLUMN xero_fdw.sync_templates.direction IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.fields IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.match_on IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.xero_filter IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.local_filter IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.conflict IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.initial IS
	'as in create_sync()';
COMMENT ON COLUMN xero_fdw.sync_templates.on_delete IS
	'as in create_sync()';

GRANT SELECT ON xero_fdw.sync_templates TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('xero_fdw.sync_templates', 'WHERE owner IS NOT NULL');

-- The expressions of ours run under the search path of whoever makes a sync, in
-- which others may have functions and operators that fit better than those of
-- pg_catalog.  Here they are written as usual, and the INSERT qualifies what they
-- call: each name before "(", each operator between blanks, each type of a cast.
-- So neither nullif, CASE x WHEN, IN, BETWEEN nor LIKE, which take their operators
-- by the path; and, as all qualified operators bind alike, parentheses where the
-- order is not from left to right.
--
-- Xero keeps numbers and addresses in lists, an element for each type; it keeps
-- the elements of a type that is not sent.
WITH
-- The value of a column out of the element of a type: an expression on the
-- element, "e".
from_list AS (
	SELECT $$(SELECT v FROM jsonb_array_elements(%1$s) AS e, LATERAL (SELECT %4$s) AS f (v) WHERE e ->> %2$L = %3$L AND v <> '' LIMIT 1)$$ AS one,
		$$CASE WHEN e ->> %1$L <> '' THEN e ->> %1$L END$$ AS filled
),
phone AS (
	SELECT column_name,
		jsonb_build_object('xero', 'phones', 'to_local', format(one, 'phones', 'PhoneType', type,
			format($$concat_ws(' ', '+' || %s, %s, %s)$$, format(filled, 'PhoneCountryCode'),
				format(filled, 'PhoneAreaCode'), format(filled, 'PhoneNumber')))) AS field,
		format($$jsonb_build_object('PhoneType', %L, 'PhoneNumber', coalesce(%I, ''), 'PhoneAreaCode', '', 'PhoneCountryCode', '')$$,
			type, column_name) AS element
	FROM from_list,
		(VALUES ('phone', 'DEFAULT'), ('mobilephone', 'MOBILE'), ('fax', 'FAX')) AS v (column_name, type)
),
phones AS (
	SELECT list, jsonb_object_agg(column_name, field || jsonb_build_object('to_xero', format('jsonb_build_array(%s)', elements))) AS fields
	FROM (
		SELECT list, column_name, field,
			string_agg(element, ', ') OVER (PARTITION BY list) AS elements
		FROM phone, (VALUES ('phone', ARRAY['phone']),
				('phone, mobilephone', ARRAY['phone', 'mobilephone']),
				('phone, fax', ARRAY['phone', 'fax'])) AS l (list, names)
		WHERE column_name = ANY (names)
	) AS p GROUP BY list
),
part AS (
	SELECT prefix, type, prefix || name AS column_name,
		jsonb_build_object('xero', 'addresses', 'to_local', format(one, 'addresses', 'AddressType', type,
			CASE name WHEN 'street' THEN (
					SELECT format($$concat_ws(E'\n', %s)$$, string_agg(format(filled, 'AddressLine' || n), ', ' ORDER BY n))
					FROM generate_series(1, 4) AS n)
				ELSE format('e ->> %L', member) END)) AS field,
		CASE name WHEN 'street' THEN (
				SELECT string_agg(format($$'AddressLine%s', coalesce(split_part(%I, E'\n', %s), '')$$, n, prefix || name, n), ', ')
				FROM generate_series(1, 4) AS n)
			ELSE format('%L, coalesce(%I, %L)', member, prefix || name, '') END AS members
	FROM from_list,
		(VALUES ('', 'POBOX'), ('mailing', 'POBOX'), ('billing', 'POBOX'), ('shipping', 'STREET')) AS p (prefix, type),
		(VALUES ('street', NULL), ('city', 'City'), ('state', 'Region'), ('postalcode', 'PostalCode'), ('country', 'Country')) AS m (name, member)
),
address AS (
	SELECT prefix, format('jsonb_build_object(''AddressType'', %L, %s)', type, string_agg(members, ', ' ORDER BY column_name)) AS element
	FROM part GROUP BY prefix, type
),
addresses AS (
	SELECT list, jsonb_object_agg(p.column_name, p.field || jsonb_build_object('to_xero',
		(SELECT format('jsonb_build_array(%s)', string_agg(a.element, ', ' ORDER BY a.prefix)) FROM address AS a WHERE a.prefix = ANY (names)))) AS fields
	FROM (VALUES ('', ARRAY['']), ('mailing', ARRAY['mailing']), ('billing, shipping', ARRAY['billing', 'shipping'])) AS l (list, names)
		JOIN part AS p ON p.prefix = ANY (names)
	GROUP BY list
),
ours (template, description, objects, direction, fields, match_on, xero_filter) AS (VALUES
('salesforce contacts',
	'people in Salesforce (contact, as Heroku Connect lays it out) and contacts; their name in Xero is first and last name', '{accounting/Contacts}', 'both',
	$${
		"xero_contact_id__c": "contact_id",
		"full name": {"xero": "name", "to_xero": "concat_ws(' ', firstname, lastname)"},
		"firstname": "first_name",
		"lastname": {"xero": "last_name", "to_local": "CASE WHEN last_name <> '' THEN last_name WHEN starts_with(name, first_name || ' ') THEN substr(name, length(first_name) + 2) ELSE name END"},
		"email": "email_address"
	}$$ || (SELECT fields FROM phones WHERE list = 'phone, mobilephone')
		|| (SELECT fields FROM addresses WHERE list = 'mailing'),
	'{email}', NULL),
('salesforce accounts',
	'companies in Salesforce (account, as Heroku Connect lays it out) and contacts', '{accounting/Contacts}', 'both',
	$${
		"xero_contact_id__c": "contact_id",
		"name": "name",
		"accountnumber": "account_number",
		"website": {"xero": "website", "direction": "to_local"}
	}$$ || (SELECT fields FROM phones WHERE list = 'phone, fax')
		|| (SELECT fields FROM addresses WHERE list = 'billing, shipping'),
	'{name}', NULL),
('salesforce opportunities',
	'sales invoices as opportunities in Salesforce (opportunity, as Heroku Connect lays it out)', '{accounting/Invoices}', 'pull',
	$${
		"xero_invoice_id__c": "invoice_id",
		"name": {"to_local": "concat_ws(' ', contact_name, CASE WHEN invoice_number <> '' THEN invoice_number ELSE left(invoice_id::text, 8) END)"},
		"amount": "total",
		"closedate": {"to_local": "coalesce(fully_paid_on_date, due_date, date)"},
		"stagename": {"to_local": "CASE WHEN status = 'PAID' THEN 'Closed Won' WHEN status = 'VOIDED' OR status = 'DELETED' THEN 'Closed Lost' WHEN status = 'AUTHORISED' THEN 'Negotiation/Review' ELSE 'Proposal/Price Quote' END"},
		"description": "reference"
	}$$, NULL, 'type OPERATOR(pg_catalog.=) ''ACCREC'''),
('crm contacts',
	'contacts into a table of a CRM', '{accounting/Contacts}', 'pull',
	$${
		"contact_id": "contact_id",
		"name": "name",
		"first_name": "first_name",
		"last_name": "last_name",
		"email": "email_address",
		"account_number": "account_number",
		"tax_number": "tax_number",
		"status": "contact_status",
		"is_customer": {"xero": "is_customer", "direction": "to_local"},
		"is_supplier": {"xero": "is_supplier", "direction": "to_local"},
		"updated_at": {"xero": "updated_date_utc", "direction": "to_local"}
	}$$ || (SELECT fields FROM phones WHERE list = 'phone')
		|| (SELECT fields FROM addresses WHERE list = ''),
	'{email}', NULL),
('warehouse payments',
	'payments into a table of a data warehouse', '{accounting/Payments}', 'pull',
	$${
		"payment_id": "payment_id",
		"tenant_id": "tenant_id",
		"invoice_id": "invoice_id",
		"invoice_number": "invoice_number",
		"credit_note_id": "credit_note_id",
		"account_id": "account_id",
		"date": "date",
		"amount": "amount",
		"bank_amount": "bank_amount",
		"currency_rate": "currency_rate",
		"reference": "reference",
		"payment_type": "payment_type",
		"status": "status",
		"is_reconciled": "is_reconciled",
		"updated_at": "updated_date_utc"
	}$$, NULL, NULL),
('stock items',
	'items and the stock table of a shop; quantities, value and prices come from Xero', '{accounting/Items}', 'both',
	$${
		"item_id": "item_id",
		"code": "code",
		"name": "name",
		"description": "description",
		"sales_price": {"to_local": "(sales_details ->> 'UnitPrice')::numeric"},
		"purchase_price": {"to_local": "(purchase_details ->> 'UnitPrice')::numeric"},
		"quantity": {"xero": "quantity_on_hand", "direction": "to_local"},
		"value": {"xero": "total_cost_pool", "direction": "to_local"}
	}$$, '{code}', NULL),
('order invoices',
	'sales invoices, drafts of one line, out of a table of orders; number, state and what is due come back', '{accounting/Invoices}', 'push',
	$${
		"invoice_id": "invoice_id",
		"invoice type": {"xero": "type", "to_xero": "'ACCREC'"},
		"contact_id": "contact_id",
		"order_number": "invoice_number",
		"order_date": "date",
		"due_date": "due_date",
		"reference": "reference",
		"currency_code": "currency_code",
		"line": {"xero": "line_items", "to_xero": "jsonb_build_array(jsonb_build_object('Description', description, 'Quantity', quantity, 'UnitAmount', unit_price, 'AccountCode', account_code))"},
		"invoice_status": {"xero": "status", "direction": "to_local"},
		"total": {"xero": "total", "direction": "to_local"},
		"amount_due": {"xero": "amount_due", "direction": "to_local"},
		"paid_on": {"xero": "fully_paid_on_date", "direction": "to_local"}
	}$$, '{order_number}', 'type OPERATOR(pg_catalog.=) ''ACCREC'''),
('employees',
	'employees of the payroll into a table', '{payroll_au/Employees,payroll_uk/Employees,payroll_nz/Employees}', 'pull',
	$${
		"employee_id": "employee_id",
		"first_name": "first_name",
		"last_name": "last_name",
		"title": "title",
		"email": "email",
		"gender": "gender",
		"date_of_birth": "date_of_birth",
		"start_date": "start_date",
		"updated_at": "updated_date_utc"
	}$$, '{email}', NULL),
('chart of accounts',
	'the chart of accounts into a table', '{accounting/Accounts}', 'pull',
	$${
		"account_id": "account_id",
		"tenant_id": "tenant_id",
		"code": "code",
		"name": "name",
		"type": "type",
		"class": "class",
		"status": "status",
		"tax_type": "tax_type",
		"description": "description",
		"currency_code": "currency_code",
		"reporting_code": "reporting_code"
	}$$, NULL, NULL)
)
INSERT INTO xero_fdw.sync_templates (template, description, objects, direction, fields, match_on, xero_filter)
SELECT template, description, objects::text[], direction,
	regexp_replace(regexp_replace(regexp_replace(fields::text,
			'\m(?!coalesce\()([a-z_]+\()', 'pg_catalog.\1', 'g'),
			' (->>|\|\||<>|=|\+) ', ' OPERATOR(pg_catalog.\1) ', 'g'),
		'::', '::pg_catalog.', 'g')::jsonb,
	match_on::text[], xero_filter
FROM ours;

CREATE FUNCTION xero_fdw._check_template(definition xero_fdw.sync_templates)
	RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '22023 A template needs a name.'
	WHERE coalesce(definition.template, '') = ''
UNION ALL
	SELECT '22023 There are no objects.'
	WHERE coalesce(cardinality(definition.objects), 0) = 0
UNION ALL
	SELECT format('22023 Object "%s" does not exist. xero_fdw.objects lists those that do.', o)
	FROM unnest(definition.objects) AS o
	WHERE NOT EXISTS (SELECT FROM xero_fdw.objects WHERE object = o)
UNION ALL
	SELECT xero_fdw._check_choices(definition.direction, definition.fields, definition.conflict,
		definition.initial, definition.on_delete)
UNION ALL
	SELECT xero_fdw._check_shape(f.key, f.value)
	FROM jsonb_each(CASE jsonb_typeof(definition.fields) WHEN 'object' THEN definition.fields END) AS f
	WHERE jsonb_typeof(f.value) <> 'string'
UNION ALL
	SELECT format('22023 Field "%s": direction "%s" is unknown. There are both, to_local and to_xero.', f.key, f.value ->> 'direction')
	FROM jsonb_each(CASE jsonb_typeof(definition.fields) WHEN 'object' THEN definition.fields END) AS f
	WHERE f.value ->> 'direction' NOT IN ('both', 'to_local', 'to_xero')
UNION ALL
	SELECT format('22023 match_on names "%s", which is not a field.', m)
	FROM unnest(definition.match_on) AS m
	WHERE definition.fields ? m IS NOT TRUE
$$;
COMMENT ON FUNCTION xero_fdw._check_template(xero_fdw.sync_templates) IS
	'internal: what is wrong with a template by itself';

CREATE FUNCTION xero_fdw._create_template(template text, objects text[],
		direction text, fields jsonb, description text, match_on text[],
		xero_filter text, local_filter text, conflict text, initial text,
		on_delete text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition xero_fdw.sync_templates := ROW(pg_get_userbyid(xero_fdw._caller()),
		template, description, objects, direction, fields, nullif(match_on, '{}'),
		nullif(btrim(xero_filter), ''), nullif(btrim(local_filter), ''), conflict,
		initial, on_delete);
	most CONSTANT integer := 100;
	most_bytes CONSTANT integer := 65536;
BEGIN
	PERFORM xero_fdw._raise_faults(format('template "%s" cannot be defined so', template),
		ARRAY(SELECT xero_fdw._check_template(definition)));
	-- whoever may connect may make some, and not fill the disk
	IF octet_length(definition::text) > most_bytes THEN
		RAISE EXCEPTION 'template "%" is too large', template
			USING ERRCODE = 'program_limit_exceeded',
				DETAIL = format('All of it may have %s bytes.', most_bytes);
	ELSIF (SELECT count(*) FROM xero_fdw.sync_templates AS t
			WHERE t.owner = definition.owner AND t.template <> definition.template) >= most THEN
		RAISE EXCEPTION 'role "%" has too many templates', definition.owner
			USING ERRCODE = 'program_limit_exceeded',
				DETAIL = format('It may have %s.', most),
				HINT = 'xero_fdw.drop_template() forgets one.';
	END IF;
	INSERT INTO xero_fdw.sync_templates AS t SELECT definition.*
	ON CONFLICT ON CONSTRAINT sync_templates_owner_template_key DO UPDATE
	SET description = EXCLUDED.description, objects = EXCLUDED.objects,
		direction = EXCLUDED.direction, fields = EXCLUDED.fields,
		match_on = EXCLUDED.match_on, xero_filter = EXCLUDED.xero_filter,
		local_filter = EXCLUDED.local_filter, conflict = EXCLUDED.conflict,
		initial = EXCLUDED.initial, on_delete = EXCLUDED.on_delete;
END $$;
COMMENT ON FUNCTION xero_fdw._create_template(text, text[], text, jsonb, text, text[], text, text, text, text, text) IS
	'internal: create_template()';

CREATE FUNCTION xero_fdw.create_template(template text, objects text[],
		direction text, fields jsonb, description text DEFAULT NULL,
		match_on text[] DEFAULT NULL, xero_filter text DEFAULT NULL,
		local_filter text DEFAULT NULL, conflict text DEFAULT 'newest',
		initial text DEFAULT 'merge', on_delete text DEFAULT 'ignore')
	RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.create_template(text, text[], text, jsonb, text, text[], text, text, text, text, text) IS
	'make a template for create_sync_from(), or replace your own of that name';

CREATE FUNCTION xero_fdw._drop_template(template text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	caller constant name := pg_get_userbyid(xero_fdw._caller());
BEGIN
	DELETE FROM xero_fdw.sync_templates AS t
	WHERE t.owner = caller AND t.template = $1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'template "%" does not exist', template
			USING ERRCODE = 'undefined_object',
				DETAIL = format('Role "%s" has none of that name.', caller);
	END IF;
END $$;
COMMENT ON FUNCTION xero_fdw._drop_template(text) IS
	'internal: drop_template()';

CREATE FUNCTION xero_fdw.drop_template(template text) RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.drop_template(text) IS
	'forget a template of your own; syncs that were made from it stay';

CREATE FUNCTION xero_fdw._find_template(template text, template_owner name)
	RETURNS xero_fdw.sync_templates
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	caller constant name := pg_get_userbyid(xero_fdw._caller());
	chosen xero_fdw.sync_templates;
	others text;
BEGIN
	SELECT t.* INTO chosen FROM xero_fdw.sync_templates AS t
	WHERE t.template = $1 AND CASE WHEN template_owner IS NULL
		THEN t.owner IS NULL OR t.owner = caller
		ELSE t.owner = template_owner AND t.owner IN (SELECT rolname FROM pg_roles) END
	ORDER BY t.owner NULLS LAST LIMIT 1;
	IF NOT FOUND THEN
		SELECT string_agg(format('"%s"', t.owner), ', ' ORDER BY t.owner) INTO others
		FROM xero_fdw.sync_templates AS t JOIN pg_roles ON rolname = t.owner
		WHERE t.template = $1;
		RAISE EXCEPTION 'template "%" does not exist', template
			USING ERRCODE = 'undefined_object',
				DETAIL = CASE WHEN template_owner IS NOT NULL THEN format('Role "%s" has none of that name.', template_owner)
					WHEN others IS NOT NULL THEN format('There is one of that name of %s, which is used only if template_owner names its role.', others)
					ELSE '' END,
				HINT = 'The table xero_fdw.sync_templates lists them.';
	END IF;
	IF chosen.owner <> caller THEN
		RAISE NOTICE 'template "%" is one of role "%"', template, chosen.owner
			USING HINT = 'Its expressions will run with your rights; xero_fdw.syncs shows them.';
	END IF;
	RETURN chosen;
END $$;
COMMENT ON FUNCTION xero_fdw._find_template(text, name) IS
	'internal: the template of a name that the caller means, or an error';

-- Anybody may make a foreign table of Xero and let others read it.  One is chosen
-- unasked only if it belongs to a role that could do as much anyhow: one whose
-- rights the caller has, a superuser, or the owner of the database.
CREATE FUNCTION xero_fdw._template_table(template xero_fdw.sync_templates)
	RETURNS regclass
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chosen regclass[];
	seen regclass[];
BEGIN
	SELECT array_agg(c.oid) FILTER (WHERE r.rolsuper OR r.oid = d.datdba
				OR pg_has_role(xero_fdw._caller(), r.oid, 'USAGE')),
		array_agg(c.oid::regclass ORDER BY c.oid::regclass::text)
	INTO chosen, seen
	FROM pg_foreign_table AS t JOIN pg_class AS c ON c.oid = t.ftrelid
		JOIN pg_roles AS r ON r.oid = c.relowner
		JOIN pg_database AS d ON d.datname = current_database()
	WHERE (xero_fdw._xero_object(c.oid)).object = ANY (template.objects)
		AND has_any_column_privilege(xero_fdw._caller(), c.oid, 'SELECT');
	IF cardinality(chosen) = 1 THEN
		RETURN chosen[1];
	END IF;
	RAISE EXCEPTION 'xero_table must be given'
		USING ERRCODE = 'invalid_parameter_value',
			DETAIL = format('Foreign tables of %s that you can read: %s.',
				array_to_string(template.objects, ' or '), coalesce(array_to_string(seen, ', '), 'none')),
			HINT = 'Without it, there must be exactly one that is yours, a superuser''s, or the database owner''s.';
END $$;
COMMENT ON FUNCTION xero_fdw._template_table(xero_fdw.sync_templates) IS
	'internal: the only foreign table that a template can be meant for, or an error';

-- The fields of a template that the local table has columns for and that flow in
-- the sync's direction.  A value that only Xero gets needs no local column.
CREATE FUNCTION xero_fdw._template_fields(fields jsonb, direction text,
		local_table regclass) RETURNS jsonb
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken jsonb;
	missing text;
BEGIN
	SELECT jsonb_object_agg(key, value) FILTER (WHERE is_column
			OR only_xero AND direction <> 'pull'),
		string_agg(format('"%s"', key), ', ' ORDER BY key) FILTER (WHERE NOT is_column
			AND NOT only_xero)
	INTO taken, missing
	FROM jsonb_each(fields), LATERAL (
			SELECT xero_fdw._column_type(local_table, key) IS NOT NULL AS is_column,
				value ? 'to_xero' AND NOT value ? 'to_local' AS only_xero
		) AS f;
	IF missing IS NOT NULL THEN
		RAISE NOTICE 'left out, as table % has no such columns: %', local_table, missing;
	END IF;
	RETURN coalesce(taken, '{}');
END $$;
COMMENT ON FUNCTION xero_fdw._template_fields(jsonb, text, regclass) IS
	'internal: the fields of a template that a local table has columns for';

CREATE FUNCTION xero_fdw._create_sync_from(template text, name text,
		local_table regclass, xero_table regclass, direction text, fields jsonb,
		match_on text[], xero_filter text, local_filter text, conflict text,
		initial text, on_delete text, template_owner name)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chosen xero_fdw.sync_templates := xero_fdw._find_template(template, template_owner);
BEGIN
	PERFORM xero_fdw._create_sync(name, coalesce(xero_table, xero_fdw._template_table(chosen)), local_table,
		coalesce(direction, chosen.direction),
		jsonb_strip_nulls(xero_fdw._template_fields(chosen.fields, coalesce(direction, chosen.direction), local_table)
			|| coalesce(fields, '{}')),
		coalesce(match_on, chosen.match_on), coalesce(xero_filter, chosen.xero_filter),
		coalesce(local_filter, chosen.local_filter), coalesce(conflict, chosen.conflict),
		coalesce(initial, chosen.initial), coalesce(on_delete, chosen.on_delete), 0.2);
END $$;
COMMENT ON FUNCTION xero_fdw._create_sync_from(text, text, regclass, regclass, text, jsonb, text[], text, text, text, text, text, name) IS
	'internal: create_sync_from()';

CREATE FUNCTION xero_fdw.create_sync_from(template text, name text,
		local_table regclass, xero_table regclass DEFAULT NULL,
		direction text DEFAULT NULL, fields jsonb DEFAULT NULL,
		match_on text[] DEFAULT NULL, xero_filter text DEFAULT NULL,
		local_filter text DEFAULT NULL, conflict text DEFAULT NULL,
		initial text DEFAULT NULL, on_delete text DEFAULT NULL,
		template_owner name DEFAULT NULL)
	RETURNS void
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'xero_gate';
COMMENT ON FUNCTION xero_fdw.create_sync_from(text, text, regclass, regclass, text, jsonb, text[], text, text, text, text, text, name) IS
	'define a sync by a template of your own, of the extension, or of template_owner; what is not null goes before the template, field by field, and a field that is null is left out';
