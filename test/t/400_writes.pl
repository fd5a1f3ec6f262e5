# Writes: what is in the sandbox afterwards, and how many calls that took.
use strict;
use warnings;
use utf8;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 },
	conf => 'max_prepared_transactions = 5');
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $contacts = '/api.xro/2.0/Contacts';

# The calls of a statement, without query, counted: "PUT /...": n
sub cost
{
	my ($sql) = @_;
	my $mark = $sandbox->mark;
	my $result = $session->try($sql);
	my %calls;
	$calls{ $_ =~ s/\?.*//r }++ foreach $sandbox->calls($mark);
	return ($result, \%calls);
}

sub stored
{
	my ($object, $test) = @_;
	return grep { $test->($_) } @{ $sandbox->state($object) };
}

sub named { my ($pattern) = @_; return stored('Contacts', sub { $_[0]{Name} =~ $pattern }); }

# Batches
my ($result, $calls) = cost(q{INSERT INTO xero.contacts (name, account_number) SELECT 'Bulk ' || n, 'A' || n FROM generate_series(1, 1000) AS n});
is($result->{state}, '00000', '1,000 contacts by INSERT ... SELECT') or diag($result->{text});
is_deeply($calls, { "PUT $contacts" => 20 }, '... are 20 calls');
my @bulk = named(qr/^Bulk \d+$/);
is(scalar(@bulk), 1000, '... and 1,000 records');
is(scalar(grep { $_->{AccountNumber} eq 'A' . substr($_->{Name}, 5) } @bulk), 1000, '... each with its number');

($result, $calls) = cost(q{UPDATE xero.contacts SET account_number = 'B' || substr(name, 6) WHERE name LIKE 'Bulk %'});
is($result->{state}, '00000', 'an UPDATE of 1,000 rows') or diag($result->{text});
is($calls->{"POST $contacts"}, 20, '... writes with 20 calls');
is_deeply([ grep { !/^(GET|POST) \Q$contacts\E$/ } keys %$calls ], [], '... and none by record');
is(scalar(grep { $_->{AccountNumber} eq 'B' . substr($_->{Name}, 5) } named(qr/^Bulk /)), 1000, '... in all of them');

($result, $calls) = cost(q{DELETE FROM xero.contacts WHERE name LIKE 'Bulk 1%'});
is($result->{state}, '00000', 'a DELETE of 112 rows') or diag($result->{text});
is($calls->{"POST $contacts"}, 3, '... writes with 3 calls');
is(scalar(grep { $_->{ContactStatus} eq 'ARCHIVED' } named(qr/^Bulk 1/)), 112, '... and archives them');

my $file = PostgreSQL::Test::Utils::tempdir() . '/contacts.csv';
append_to_file($file, join('', map { "Copied $_,c$_\@example.com\n" } 1 .. 120));
($result, $calls) = cost("COPY xero.contacts (name, email_address) FROM '$file' WITH (FORMAT csv)");
is($result->{state}, '00000', 'COPY of 120 rows') or diag($result->{text});
is_deeply($calls, { "PUT $contacts" => 3 }, '... is 3 calls');
is(scalar(named(qr/^Copied /)), 120, '... and 120 records');

($result, $calls) = cost(q{INSERT INTO xero.contacts (name) VALUES ('One'), ('Two'), ('Three') RETURNING name, contact_status});
is($result->{rows}, "One|ACTIVE\nTwo|ACTIVE\nThree|ACTIVE", 'RETURNING gives what Xero stored');
is_deeply($calls, { "PUT $contacts" => 1 }, '... with one call');

$session->rows(q{CREATE TABLE parted (name text, contact_id uuid, email_address text) PARTITION BY LIST (email_address);
	CREATE FOREIGN TABLE parted_xero PARTITION OF parted FOR VALUES IN ('p@example.com') SERVER xero OPTIONS (object 'accounting/Contacts');
	CREATE TABLE parted_rest PARTITION OF parted DEFAULT});
($result, $calls) = cost(q{INSERT INTO parted (name, email_address) SELECT 'Routed ' || n, CASE WHEN n % 2 = 0 THEN 'p@example.com' ELSE 'other' END FROM generate_series(1, 160) AS n});
is($result->{state}, '00000', 'rows of a partitioned table') or diag($result->{text});
is_deeply($calls, { "PUT $contacts" => 2 }, '... are written in batches');
is(scalar(named(qr/^Routed /)), 80, '... those of the partition');
append_to_file("$file.2", join('', map { "Routed again $_,p\@example.com\n" } 1 .. 70));
($result, $calls) = cost("COPY parted (name, email_address) FROM '$file.2' WITH (FORMAT csv)");
is_deeply($calls, { "PUT $contacts" => 2 }, 'COPY into a partitioned table writes in batches') or diag($result->{text});
is(scalar(named(qr/^Routed again /)), 70, '... all of them');

# Every request tells of its elements, and has a key of its own
my @writes = grep { $_->{method} ne 'GET' } $sandbox->log(0);
is(scalar(grep { ($_->{query} // '') !~ /summarizeErrors=false/ } @writes), 0, 'no write lets Xero summarise');
my %keys = map { (lc_headers($_)->{'idempotency-key'} // '') => 1 } @writes;
is(scalar(keys %keys), scalar(@writes), 'each write has an idempotency key of its own');
is(scalar(grep { !/^[0-9a-f-]{36}$/ } keys %keys), 0, '... which is a uuid');

sub lc_headers { my ($call) = @_; return { map { lc($_) => $call->{headers}{$_} } keys %{ $call->{headers} } }; }

# A long body is cut into several requests
($result, $calls) = cost(q{INSERT INTO xero.manual_journals (narration, date, journal_lines)
	SELECT 'Long ' || n || repeat('ä', 100000), '2026-01-05', '[{"LineAmount": 1, "AccountCode": "200"}, {"LineAmount": -1, "AccountCode": "429"}]' FROM generate_series(1, 40) AS n});
is($result->{state}, '00000', '40 rows of 200 kB') or diag(substr($result->{text}, 0, 2000));
is($calls->{'PUT /api.xro/2.0/ManualJournals'}, 3, '... are three requests of at most 3 MB');
is(scalar(stored('ManualJournals', sub { length($_[0]{Narration}) > 100000 })), 40, '... and 40 records');

# Hostile texts come back as they went
my @hostile = ("'", '"', '\\', '\\n', "tab\there", "line\nbreak", '{"Name": "x"}', '[]', 'null', '</script>', "\x{1f600}\x{1f468}\x{200d}\x{1f469}",
	"e\x{301} \x{202e}right", "\x{1}\x{1f}\x{7f}", '%00%s%n', "\x{fffc}", '&amp;', '$1', '../../x', 'a' x 255, "\x{e4}" x 255);
my $n = 0;
foreach my $text (@hostile)
{
	my $name = sprintf('%s', $text);
	$n++;
	my $hex = unpack('H*', do { my $bytes = $name; utf8::encode($bytes); $bytes });
	my $back = $session->try("INSERT INTO xero.contacts (name, first_name) VALUES ('Hostile $n', convert_from('\\x$hex', 'UTF8')) RETURNING encode(convert_to(first_name, 'UTF8'), 'hex')");
	is($back->{rows}, $hex, "hostile text $n") or diag($back->{text});
}
my $long = $session->try(q{INSERT INTO xero.quotes (contact_id, date, quote_number, terms, line_items) SELECT contact_id, '2026-01-05', 'Q-LONG', repeat(chr(233) || chr(92), 2000), '[{"Description": "x"}]' FROM xero.contacts WHERE name = 'One' RETURNING terms = repeat(chr(233) || chr(92), 2000)});
is($long->{rows}, 't', '4,000 characters') or diag($long->{text});

# Generated ones, in batches: made of what is awkward in JSON, SQL, URLs and Unicode
srand(5);
my @pieces = (@hostile[0 .. 18], ' ', 'a', "\x{2028}", "\x{e4}", "\\\\", '\\u0000', '\\ud800', '{', '}', '":', ',', '--', '/*', ';', '$$', '0x00', 'NaN', "\r\n", "\x{200b}", "\x{feff}x", "\x{10ffff}");
my @generated = map { my $text = ''; $text .= $pieces[ rand @pieces ] for 0 .. rand 40; substr($text, 0, 4000) } 1 .. 200;
@generated = map { /\S/ ? $_ : "x$_" } @generated;
$session->rows('CREATE TABLE generated (n int, text text)');
$session->rows('INSERT INTO generated VALUES ' . join(', ', map { my $bytes = $generated[$_]; utf8::encode($bytes); "($_, convert_from('\\x" . unpack('H*', $bytes) . "', 'UTF8'))" } 0 .. $#generated));
$result = $session->try(q{INSERT INTO xero.quotes (contact_id, date, quote_number, terms, line_items)
	SELECT contact_id, '2026-01-05', 'GEN-' || n, text, jsonb_build_array(jsonb_build_object('Description', text)) FROM xero.contacts, generated WHERE name = 'One'});
is($result->{state}, '00000', '200 generated texts') or diag(substr($result->{text}, 0, 2000));
my %there = map { $_->{QuoteNumber} => $_ } stored('Quotes', sub { $_[0]{QuoteNumber} =~ /^GEN-/ });
is(scalar(grep { $there{"GEN-$_"}{Terms} eq $generated[$_] && $there{"GEN-$_"}{LineItems}[0]{Description} eq $generated[$_] } 0 .. $#generated), 200, '... are in Xero as they were');
is($session->rows(q{SELECT count(*) FROM xero.quotes JOIN generated ON quote_number = 'GEN-' || n AND terms = text AND line_items -> 0 ->> 'Description' = text}), 200, '... and come back as they were');

# Numbers keep their digits
is($session->rows(q{INSERT INTO xero.bank_transactions (type, contact_id, bank_account_id, date, reference, line_items)
	SELECT 'SPEND', c.contact_id, a.account_id, '2026-02-03', 'digits', '[{"Description": "x", "Quantity": 1.2345, "UnitAmount": 1.0001, "AccountCode": "429"}]'
	FROM xero.contacts AS c, (SELECT account_id FROM xero.accounts WHERE type = 'BANK' AND status = 'ACTIVE' ORDER BY name LIMIT 1) AS a WHERE c.name = 'One'
	RETURNING line_items->0->'UnitAmount', line_items->0->'Quantity'}), '1.0001|1.2345', 'prices and quantities');

# An update sends the columns in SET, and nothing else
my $mark = $sandbox->mark;
$session->rows(q{UPDATE xero.invoices SET reference = 'header only' WHERE invoice_number = (SELECT min(invoice_number) FROM xero.invoices WHERE status = 'DRAFT' AND type = 'ACCREC')});
my ($update) = grep { $_->{method} eq 'POST' } $sandbox->log($mark);
my $body = ref $update->{body} ? $update->{body} : decode_json($update->{body});
is_deeply([ sort keys %{ $body->{Invoices}[0] } ], [ 'InvoiceID', 'Reference' ], 'no lines go with a header');

# A join that finds rows several times: as in any table, the first time counts
$session->rows(q{CREATE TEMP TABLE twice AS SELECT 'Join ' || n AS name, 'J' || m AS number FROM generate_series(1, 2) AS n, generate_series(1, 3) AS m ORDER BY n, m;
	INSERT INTO xero.contacts (name) VALUES ('Join 1'), ('Join 2'); INSERT INTO xero.items (code) VALUES ('Join 1'), ('Join 2')});
foreach my $returning ('', ' RETURNING c.name')
{
	my $mark = $sandbox->mark;
	$result = $session->try(q{UPDATE xero.contacts AS c SET tax_number = number FROM twice WHERE c.name = twice.name} . $returning);
	is($result->{state}, '00000', "UPDATE of rows that are found three times$returning") or diag($result->{text});
	my @written = map { my $body = ref $_->{body} ? $_->{body} : decode_json($_->{body}); map { $_->{ContactID} } @{ $body->{Contacts} } }
	  grep { $_->{method} eq 'POST' } $sandbox->log($mark);
	is_deeply([ sort @written ], [ sort map { $_->{ContactID} } named(qr/^Join /) ], '... sends each once');
}
is(scalar(() = $result->{rows} =~ /Join/g), 2, '... and returns each once');
($result, $calls) = cost(q{DELETE FROM xero.items AS i USING twice WHERE i.code = twice.name RETURNING i.code});
is($result->{state}, '00000', 'DELETE of rows that are found three times') or diag($result->{text});
is(scalar(grep { /^DELETE/ } keys %$calls), 2, '... ends each once');
is($result->{rows}, "Join 1\nJoin 2", '... and returns each once');

# Errors
($result, $calls) = cost(q{INSERT INTO xero.contacts (name) VALUES ('Good'), ('One'), ('Good too'), ('Two')});
is($result->{state}, '23505', 'names that are taken');
like($result->{text}, qr/2 rows of foreign table "contacts" were refused: The contact name One is already assigned/, '... the first in the message');
like($result->{text}, qr/row 2, name "One": The contact name One .*\nrow 4, name "Two": The contact name Two /, '... all in the detail');
my @good = named(qr/^Good/);
is(scalar(@good), 2, '... and the others were stored');
like($result->{text}, qr/DETAIL:.*Written by this statement already, and not undone by ROLLBACK: 2 inserted into foreign table "contacts": \Q$_->{ContactID}\E|, \Q$_->{ContactID}\E/s, '... which the error names') foreach @good;
like($result->{text}, qr/WARNING:.*rollback does not undo what was written to Xero/, '... and a warning');

is($session->try(q{INSERT INTO xero.contacts (first_name) VALUES ('x')})->{state}, '23502', 'a column that Xero requires');
like($session->try(q{INSERT INTO xero.invoices (reference) VALUES ('x')})->{text}, qr/Xero requires values in columns "type", "contact_id", "line_items"/, '... all of them in one error');
($result, $calls) = cost(q{INSERT INTO xero.contacts (name, is_customer) VALUES ('x', true)});
is($result->{state}, '428C9', 'a computed column');
like($result->{text}, qr/"is_customer"/, '... is named');
is_deeply($calls, {}, '... before any call');
is($session->try(q{INSERT INTO xero.contacts (name, email_address) VALUES ('x', 'no address')})->{state}, '23514', 'what Xero refuses for other reasons');
is($session->try(q{INSERT INTO xero.contacts (name, contact_status) VALUES ('x', 'Active')})->{state}, '22023', 'a word that Xero does not have');
is($session->try(q{INSERT INTO xero.contacts (name) VALUES (repeat('x', 256))})->{state}, '22023', 'a text that is too long');
is($session->try(q{INSERT INTO xero.invoices (type, contact_id, line_items, date) SELECT 'ACCREC', gen_random_uuid(), '[]', 'infinity'})->{state}, '22023', 'a date that Xero cannot have');
is($session->try(q{INSERT INTO xero.contacts (name, tenant_id) VALUES ('x', gen_random_uuid())})->{state}, '22023', 'another organisation');
is($session->try(q{INSERT INTO xero.users (first_name) VALUES ('x')})->{state}, '0A000', 'an object that can only be read');
is($session->try(q{UPDATE xero.payments SET reference = 'x'})->{state}, '0A000', 'an operation that Xero does not offer');
is($session->try(q{UPDATE xero.contacts SET is_customer = true})->{state}, '428C9', 'UPDATE of a computed column');
is($session->try(q{DELETE FROM xero.contacts WHERE contact_status = 'ARCHIVED'})->{state}, '0A000', 'a record that has ended already');
is($session->try(q{TRUNCATE xero.contacts})->{state}, '0A000', 'TRUNCATE');
is($session->try(q{INSERT INTO xero.contacts (name) VALUES ('x') ON CONFLICT DO NOTHING})->{state}, '0A000', 'ON CONFLICT');

# Going on in spite of them
$session->rows(q{SET xero_fdw.on_row_error = 'log'});
$result = $session->try(q{INSERT INTO xero.contacts (name, email_address) VALUES ('Log 1', NULL), ('One', NULL), ('Log 2', 'x'), ('Log 3', NULL), (NULL, NULL)});
is($result->{state}, '00000', 'on_row_error = log');
like($result->{text}, qr/WARNING:.*3 rows of foreign table "contacts" were refused/, '... says how many');
is(scalar(named(qr/^Log /)), 2, '... stores the others');
is($session->rows(q{SELECT sqlstate, "values"->>'Name', key, at BETWEEN now() - interval '1 minute' AND now() FROM xero_fdw.write_errors ORDER BY key}),
	qq{23505|One|row 2, name "One"|t\n23514|Log 2|row 3, name "Log 2"|t\n23502||row 5|t}, '... and keeps the rows');
is($session->rows(q{INSERT INTO xero.contacts (name) VALUES ('One'), ('Log 4') RETURNING name}), 'Log 4', '... also with RETURNING');
$session->rows('CREATE ROLE other; SET ROLE other');
is($session->rows('SELECT count(*) FROM xero_fdw.write_errors'), 0, '... for this role only');
$session->rows('RESET ROLE');
is($session->rows('SELECT count(*) FROM xero_fdw.write_errors'), 4, '... which sees all of its own');
$session->rows('RESET xero_fdw.on_row_error');

# Only showing them
($result, $calls) = cost(q{SET xero_fdw.dry_run = on; INSERT INTO xero.contacts (name) VALUES ('Dry ''1'''), ('Dry 2'); RESET xero_fdw.dry_run});
is_deeply($calls, {}, 'dry_run sends nothing');
like($result->{text}, qr/NOTICE:.*would send PUT \/api.xro\/2.0\/Contacts\?summarizeErrors=false\nDETAIL:  \{"Contacts":\[\{"Name":"Dry '1'"\},\{"Name":"Dry 2"\}\]\}/, '... and shows the request');

# Transactions
$result = $session->try(q{BEGIN; INSERT INTO xero.contacts (name) VALUES ('In vain'); ROLLBACK});
like($result->{text}, qr/WARNING:.*rollback does not undo.*\nDETAIL:  1 inserted into foreign table "contacts": [0-9a-f-]{36}\./, 'ROLLBACK warns');
$result = $session->try(q{BEGIN; SAVEPOINT s; INSERT INTO xero.contacts (name) VALUES ('In vain 2'); ROLLBACK TO s});
like($result->{text}, qr/WARNING:.*rollback does not undo/, 'so does ROLLBACK TO SAVEPOINT');
unlike($session->try('ROLLBACK')->{text}, qr/WARNING/, '... once');
$result = $session->try(q{BEGIN; SAVEPOINT s; INSERT INTO xero.contacts (name) VALUES ('In vain 3'); RELEASE s; ROLLBACK});
like($result->{text}, qr/WARNING:.*rollback does not undo/, 'a released savepoint is its parent\'s');
unlike($session->try(q{BEGIN; INSERT INTO xero.contacts (name) VALUES ('Kept'); COMMIT; BEGIN; ROLLBACK})->{text}, qr/WARNING/, 'a commit does not');
is($session->try(q{BEGIN; INSERT INTO xero.contacts (name) VALUES ('Prepared'); PREPARE TRANSACTION 'p'})->{state}, '0A000', 'PREPARE TRANSACTION is refused');

# A read-only connection
$session->rows(q{ROLLBACK; ALTER SERVER xero OPTIONS (ADD updatable 'false')});
is($session->try(q{INSERT INTO xero.contacts (name) VALUES ('x')})->{state}, '55000', 'updatable false');
is($session->rows(q{SELECT is_insertable_into FROM information_schema.tables WHERE table_schema = 'xero' AND table_name = 'contacts'}), 'NO', '... is what the information schema says');
$session->rows(q{ALTER FOREIGN TABLE xero.contacts OPTIONS (ADD updatable 'true', ADD batch_size '10')});
is($session->try(q{INSERT INTO xero.contacts (name) VALUES ('x')})->{state}, '55000', '... whatever a table says');
$session->rows(q{ALTER SERVER xero OPTIONS (DROP updatable)});
($result, $calls) = cost(q{INSERT INTO xero.contacts (name) SELECT 'Ten ' || n FROM generate_series(1, 30) AS n});
is_deeply($calls, { "PUT $contacts" => 3 }, 'a table has its own batch size') or diag($result->{text});

# Statements that read what they write
my $before = scalar(named(qr/./));
$session->rows(q{ALTER FOREIGN TABLE xero.contacts OPTIONS (ADD page_size '20')});
($result, $calls) = cost(q{INSERT INTO xero.contacts (name) SELECT left(name, 200) || ' copy' FROM xero.contacts WHERE contact_status = 'ACTIVE' AND name LIKE '% __'});
is($result->{state}, '00000', 'a table that is copied into itself') or diag($result->{text});
is(scalar(named(qr/ copy copy$/)), 0, '... does not see its own rows');
($result, $calls) = cost(q{UPDATE xero.contacts SET contact_status = 'ARCHIVED' WHERE name LIKE '% copy' AND contact_status = 'ACTIVE'});
is($result->{state}, '00000', 'an UPDATE that changes what its condition finds') or diag($result->{text});
is(scalar(grep { $_->{ContactStatus} eq 'ACTIVE' } named(qr/ copy$/)), 0, '... changes all');
is($session->rows(q{WITH gone AS (UPDATE xero.contacts SET account_number = 'CTE' WHERE name = 'One' RETURNING name) SELECT * FROM gone}), 'One', 'within a WITH');

# Generated columns: stored ones are in Xero, virtual ones nowhere
$session->rows(q{CREATE FOREIGN TABLE shouted (item_id uuid, code text, name text GENERATED ALWAYS AS (upper(code)) STORED) SERVER xero OPTIONS (object 'accounting/Items');
	INSERT INTO shouted (code) VALUES ('generated')});
is($session->rows(q{SELECT code, name FROM xero.items WHERE name = 'GENERATED'}), 'generated|GENERATED', 'a generated column that is stored');
SKIP:
{
	skip 'PostgreSQL 18 has virtual columns', 4 if $node->pg_version < 18;
	$session->rows(q{ALTER FOREIGN TABLE xero.items ADD COLUMN quiet text GENERATED ALWAYS AS (lower(code) || '?')});
	is($session->rows(q{INSERT INTO xero.items (code) VALUES ('VIRTUAL') RETURNING quiet}), 'virtual?', 'a generated column that is not');
	is($session->rows(q{UPDATE xero.items SET name = 'x' WHERE quiet = 'virtual?' RETURNING quiet, name}), 'virtual?|x', '... UPDATE');
	is($session->rows(q{SELECT (items).quiet, quiet FROM xero.items WHERE code LIKE 'V%' ORDER BY quiet LIMIT 1}), 'virtual?|virtual?', '... SELECT');
	is($session->rows(q{DELETE FROM xero.items WHERE quiet = 'virtual?' RETURNING quiet}), 'virtual?', '... DELETE');
	$session->rows('ALTER FOREIGN TABLE xero.items DROP COLUMN quiet');
}

# Triggers, and a view with a condition
$session->rows(q{CREATE TABLE heard (name text, number text);
	CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.account_number := ''T-'' || coalesce(NEW.first_name, ''''); RETURN NEW; END';
	CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO heard VALUES (NEW.name, NEW.account_number); RETURN NULL; END';
	CREATE TRIGGER a BEFORE INSERT OR UPDATE ON xero.contacts FOR EACH ROW EXECUTE FUNCTION change();
	CREATE TRIGGER b AFTER INSERT OR UPDATE ON xero.contacts FOR EACH ROW EXECUTE FUNCTION hear()});
$session->rows(q{INSERT INTO xero.contacts (name, first_name) VALUES ('Triggered', 'f')});
$session->rows(q{UPDATE xero.contacts SET first_name = 'g' WHERE name = 'Triggered'});
is($session->rows('SELECT * FROM heard ORDER BY number'), "Triggered|T-f\nTriggered|T-g", 'triggers change rows, and see what was stored');
is((named(qr/^Triggered$/))[0]{AccountNumber}, 'T-g', '... which is there');
foreach my $column ('is_customer := true', 'tenant_id := gen_random_uuid()')
{
	$session->rows(qq{CREATE OR REPLACE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.$column; RETURN NEW; END'});
	$result = $session->try(q{UPDATE xero.contacts SET first_name = 'h' WHERE name = 'Triggered'});
	is($result->{state}, '428C9', "a trigger that changes what cannot be set: $column") or diag($result->{text});
}
$session->rows(q{DROP TRIGGER a ON xero.contacts; DROP TRIGGER b ON xero.contacts;
	CREATE VIEW active AS SELECT name, contact_status FROM xero.contacts WHERE contact_status = 'ACTIVE' WITH CHECK OPTION});
is($session->rows(q{INSERT INTO active VALUES ('Through a view', 'ACTIVE') RETURNING contact_status}), 'ACTIVE', 'through a view');

# Triggers of statements see what it has written, those of a parent, too
$session->rows(q{ALTER FOREIGN TABLE xero.contacts OPTIONS (DROP batch_size)});
$session->rows(q{CREATE TABLE family (contact_id uuid, name text, first_name text) PARTITION BY LIST (name);
	CREATE FOREIGN TABLE child PARTITION OF family DEFAULT SERVER xero OPTIONS (object 'accounting/Contacts');
	TRUNCATE heard;
	CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO heard SELECT tg_table_name, count(*) FROM xero.contacts WHERE name LIKE ''Child %'' AND (tg_op = ''INSERT'' OR first_name = ''new''); RETURN NULL; END'});
foreach my $table (qw(family child))
{
	$session->rows("CREATE TRIGGER t AFTER INSERT OR UPDATE ON $table FOR EACH STATEMENT EXECUTE FUNCTION look()");
	($result, $calls) = cost(qq{INSERT INTO $table (name) SELECT 'Child $table ' || n FROM generate_series(1, 3) AS n});
	is($calls->{"PUT $contacts"}, 1, "INSERT INTO $table with a trigger of the statement: calls") or diag($result->{text});
	$result = $session->try(qq{UPDATE $table SET first_name = 'new' WHERE name LIKE 'Child $table %'});
	is($result->{state}, '00000', "... UPDATE") or diag($result->{text});
	$session->rows("DROP TRIGGER t ON $table");
}
is($session->rows('SELECT * FROM heard ORDER BY number'), "family|3\nfamily|3\nchild|6\nchild|6", '... which sees all rows');

# ... nor do those wait that no INSERT has made into a batch
$session->rows(q{CREATE TABLE local PARTITION OF family FOR VALUES IN ('here'); INSERT INTO family (name) VALUES ('here'); TRUNCATE heard;
	CREATE TRIGGER t AFTER INSERT OR UPDATE ON family FOR EACH STATEMENT EXECUTE FUNCTION look()});
append_to_file("$file.volatile", "Child copied\n");
$result = $session->try(qq{COPY family (name) FROM '$file.volatile' WHERE random() < 2});
is($result->{state}, '00000', 'COPY with a volatile condition, row by row') or diag($result->{text});
$result = $session->try(q{UPDATE family SET name = 'Child moved', first_name = 'new' WHERE name = 'here'});
is($result->{state}, '00000', 'an UPDATE that moves a row to Xero') or diag($result->{text});
is($session->rows('SELECT * FROM heard ORDER BY number'), "family|7\nfamily|7", '... before the triggers');
$session->rows('DROP TABLE local; DROP TRIGGER t ON family');

# Several organisations
$sandbox->reset(seed => 1, tenants => 2, strict => JSON::PP::true, limits => JSON::PP::false);
$session->quit;
$session = XeroSession->new($node);
my ($first, $second) = split(/\n/, $session->rows('SELECT tenant_id FROM xero.organisation ORDER BY 1'));
is($session->try(q{INSERT INTO xero.contacts (name) VALUES ('Where?')})->{state}, '23502', 'among several organisations a row must say which');
($result, $calls) = cost(qq{INSERT INTO xero.contacts (tenant_id, name) SELECT CASE WHEN n % 2 = 0 THEN '$first'::uuid ELSE '$second' END, 'Org ' || n FROM generate_series(1, 100) AS n});
is($result->{state}, '00000', 'rows for both') or diag($result->{text});
is($calls->{"PUT $contacts"}, 4, '... in batches of their own');
is($session->rows(q{SELECT tenant_id, count(*) FROM xero.contacts WHERE name LIKE 'Org %' GROUP BY 1 ORDER BY 1}), "$first|50\n$second|50", '... are where they belong');
($result, $calls) = cost(q{UPDATE xero.contacts SET last_name = 'o' WHERE name LIKE 'Org %'});
is($calls->{"POST $contacts"}, 2, 'an UPDATE of both is a call each') or diag($result->{text});
is($session->rows(qq{UPDATE xero.contacts SET first_name = 'x' WHERE name = 'Org 2' RETURNING tenant_id}), $first, '... and RETURNING says which');
is($session->rows(q{SELECT count(*) FROM xero.contacts WHERE last_name = 'o'}), 100, '... and changes all');
my $key = $session->rows(q{SELECT contact_id FROM xero.contacts WHERE name = 'Org 2'});
($result, $calls) = cost(qq{UPDATE xero.contacts SET first_name = 'y' WHERE contact_id = '$key' RETURNING tenant_id});
is($result->{rows}, $first, 'a record that is known by its key is looked for in both') or diag($result->{text});
is_deeply($calls, { "GET $contacts/$key" => 2, "POST $contacts" => 1 }, '... before it is changed');
($result, $calls) = cost(qq{INSERT INTO xero.contacts (tenant_id, name) VALUES ('$second', 'In 1'), ('$first', 'In 2'), ('$second', 'In 3') RETURNING tenant_id, name});
is($result->{rows}, "$second|In 1\n$first|In 2\n$second|In 3", 'RETURNING keeps the order of rows for both') or diag($result->{text});
is_deeply($calls, { "PUT $contacts" => 2 }, '... which take a call each');

done_testing();
