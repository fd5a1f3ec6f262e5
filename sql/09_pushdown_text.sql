-- Conditions on text.  Xero ignores case and trailing blanks, and cannot be
-- given every text.
CALL needs_00_setup();
SELECT * FROM verdicts('reference = ''REF 1''', 'reference <> ''REF 1''', 'reference > ''REF''',
	'reference IS NULL', 'reference IS NOT NULL', 'reference IN (''a'', ''b'')',
	'reference NOT IN (''a'', ''b'')', 'NOT (reference = ''a'')',
	'reference = ''a'' OR reference = ''b''', 'reference = ''a'' OR reference <> ''b''',
	'reference = ''a'' AND reference <> ''b''', 'reference = currency_code',
	'lower(reference) = ''a''', 'reference = ''a'' COLLATE "C"', 'reference ~ ''a''',
	'reference ILIKE ''a%''');
-- by parameters
SELECT * FROM verdicts('invoice_number = ''INV-000001''',
	'invoice_number IN (''INV-000001'', ''inv-000001'', ''INV-000002'')',
	'invoice_number = ''a,b''', 'invoice_number IN (''a,b'', ''c'')', 'invoice_number = '' a''');
-- LIKE
SELECT * FROM verdicts('reference LIKE ''REF%''', 'reference LIKE ''%1''',
	'reference LIKE ''%EF%''', 'reference LIKE ''R%1''', 'reference LIKE ''R_F%''',
	'reference LIKE ''_EF''', 'reference LIKE ''REF''', 'reference LIKE ''%''',
	'reference LIKE ''''', 'reference LIKE ''_''', 'reference LIKE ''a%bcd%e''',
	'reference LIKE ''10\%''', 'reference LIKE ''10\%%''', 'reference LIKE ''a[b%''',
	'reference LIKE ''a%b"c''', 'reference LIKE ''a\\%''', 'reference NOT LIKE ''R%''',
	'reference LIKE ''R%'' ESCAPE ''x''', 'starts_with(reference, ''RE'')', 'reference ^@ ''RE''',
	'reference ^@ ''100%''', 'starts_with(reference, '''')', 'contact_name LIKE ''Boutique%''',
	'status LIKE ''P%''');
-- Where case does not matter, or a part is compared, a piece is sent; i and k end one, as
-- letters beyond ASCII are the same in lower case.
SELECT * FROM verdicts('reference ILIKE ''ref%''', 'reference ILIKE ''%REF-0%9''',
	'reference ILIKE ''%Knickers%''', 'reference ILIKE ''%Straße 100%''',
	'reference ILIKE ''a%b_c''',
	'reference ILIKE ''100\%%''', 'reference ILIKE ''%''', 'reference NOT ILIKE ''ref%''',
	'lower(reference) = ''ref-001''', 'lower(reference) <> ''ref-001''',
	'lower(reference) LIKE ''%ref%''', 'lower(trim(reference)) = ''ref 1''',
	'starts_with(lower(reference), ''ref'')', 'upper(reference) = ''REF''',
	'left(reference, 3) = ''REF''',
	'substring(reference from 5 for 3) = ''001''', 'right(reference, 3) IN (''001'')',
	'position(''EF-'' in reference) > 0', 'strpos(lower(reference), ''ef-'') > 0',
	'position(''EF-'' in reference) > 1', 'position(reference in ''REF-1'') > 0',
	'lower(contact_name) = ''o"brien and sons''',
	'reference = ''x'' OR reference ILIKE ''%abc%''',
	'reference ILIKE ''%abc%'' COLLATE "C"');
-- of capitals also s, and none of those that ICU makes several of one letter
SELECT * FROM verdicts('upper(reference) = ''BOSS 1''', 'upper(reference) = upper(''Bank'')',
	'upper(reference) LIKE ''%\_ACME%''', 'upper(left(reference, 4)) = ''ACME''',
	'upper(reference) LIKE ANY (ARRAY[''%ACME'', ''ABC%''])', 'upper(reference) ILIKE ''Acme''',
	'upper(reference) <> ''ACME''', 'upper(reference) ~ ''ACME''',
	'lower(upper(reference)) = ''acme''', 'upper(reference COLLATE "C") = ''ACME''',
	'upper(reference COLLATE "und-x-icu") = ''ACME''');
SELECT * FROM verdicts('reference ~ ''^REF-''', 'reference ~* ''ref-\d+''',
	'reference ~ ''colou?rs''',
	'reference ~ ''reef*s''', 'reference ~ ''abc+d''', 'reference ~ ''abc{0}def''',
	'reference ~ ''abc|def''', 'reference ~ ''abc(|d)''', 'reference ~ ''abc[def]ghi''',
	'reference ~ ''a\.b\.c$''', 'reference ~ ''a\x41bcd''', 'reference ~ ''(?x)a b c d''',
	'reference ~ ''***=abc''', 'reference !~ ''abc''');
SELECT * FROM verdicts('lower(status) = ''draft''', 'upper(status) = ''Draft''',
	'lower(status) <> ''draft''',
	'status ILIKE ''draft''', 'lower(status) = ''dräft''', 'left(status, 5) = ''DRAFT''',
	'lower(type) = ''accrec'' AND lower(status) = ''paid''');
-- coalesce(): what is said of one of its arguments
SELECT * FROM verdicts('coalesce(status, '''') = ''DRAFT''', 'coalesce(total, 0) > 100',
	'coalesce(due_date, date) < ''2025-03-01''',
	'coalesce(due_date, ''2025-01-01'') < ''2025-03-01''',
	'coalesce(due_date, ''2025-06-01'') < ''2025-03-01''',
	'NOT (coalesce(due_date, ''2025-01-01'') < ''2025-03-01'')',
	'date_trunc(''month'', coalesce(due_date, date)) = ''2025-03-01''',
	'coalesce(reference, '''') ILIKE ''%abc%''', 'coalesce(reference, '''') = ''''',
	'coalesce(reference, invoice_number) = ''REF-1''',
	'coalesce(reference, '''') IN (''a'', ''b'')',
	'coalesce(lower(reference), '''') = ''ref''',
	'coalesce(reference, currency_code, ''x'') = ''y''',
	'coalesce(due_date, date, ''2025-01-01'') < ''2025-03-01''',
	'coalesce(fully_paid_on_date, due_date, ''2025-01-01'') < ''2025-03-01''',
	'date < coalesce(NULL::date, ''2025-03-01'')', 'coalesce(amount_due - 1, 0) > 5',
	'100 / coalesce(amount_due, 0) > 5');
-- what where cannot carry safely stays here: double quotes, backslashes,
-- control characters, the empty text, what lies beyond the BMP
SELECT left(condition, 60) AS condition, verdict, left(sent, 70) AS sent
FROM verdicts('reference = ''say "hi"''', 'reference = ''O''''Brien''', 'reference = ''a\b''',
	'reference = E''a\tb''', 'reference = ''''', 'reference = ''é''', 'reference = ''🧩''',
	'reference = ''a & b = c # d + e % f ? g''', 'reference = ''a) OR (1=1''',
	'reference = U&''\0085''', 'reference IN (''a'', ''b"c'')', 'reference IN (''a'', '''')',
	'starts_with(reference, ''a"'')', 'reference = ''x'' AND contact_name = ''"''',
	'reference = ''x'' OR contact_name = ''"''', format('reference = %L', repeat('x', 1600)));

-- And the rows are right: names with quotes, commas, accents, emoji, in any case.
CREATE TEMP TABLE local AS SELECT contact_id, name, email_address FROM xero.contacts;
SELECT name FROM local
	WHERE contact_id IN (SELECT contact_id FROM local ORDER BY name COLLATE "C" LIMIT 200)
	AND name ~ '[^A-Za-z0-9 .]' ORDER BY name COLLATE "C";
CREATE FUNCTION agree(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT array(SELECT contact_id FROM local WHERE %1$s ORDER BY 1)'
		' = array(SELECT contact_id FROM xero.contacts WHERE %1$s ORDER BY 1)', condition)
		INTO result;
	RETURN result;
END $$;
-- each name, in its own spelling and in others, and parts of it
SELECT c.t, count(*) FILTER (WHERE agree(format(c.c,
	CASE c.t
		WHEN 'upper' THEN upper(name)
		WHEN 'blank' THEN name || ' '
		WHEN 'start' THEN left(name, 4)
		ELSE name
	END))) = count(*) AS agree
FROM local, (VALUES
	('equal', 'name = %L'),
	('upper', 'name = %L'),
	('blank', 'name = %L'),
	('unequal', 'name <> %L'),
	('start', 'starts_with(name, %L)'),
	('like', 'name LIKE %L'),
	('capitals', 'upper(name) = upper(%L)')) AS c(t, c)
WHERE name ~ '[^A-Za-z0-9 .]' GROUP BY 1 ORDER BY 1;
SELECT agree('name LIKE ''%a%'''), agree('name LIKE ''%A%'''), agree('name LIKE ''O''''B%'''),
	agree('name LIKE ''%"%'''), agree('name LIKE ''%é%'''), agree('name LIKE ''%É%'''),
	agree('name LIKE ''% 0010_'''), agree('email_address IS NULL'), agree('email_address = '''''),
	agree('email_address LIKE ''%'''), agree('email_address LIKE ''%@%.com''');

-- A nondeterministic collation means another equality, which Xero's is not.
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FOREIGN TABLE collated (contact_id uuid, name text COLLATE any_case)
	SERVER xero OPTIONS (object 'accounting/Contacts');
SELECT * FROM verdict('name = ''x''', 'collated');
SELECT * FROM verdict('name = ''x'' COLLATE "C"', 'collated');
DROP FOREIGN TABLE collated;
DROP COLLATION any_case;
DROP FUNCTION agree;
