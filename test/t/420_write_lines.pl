# Child tables: lines that are written with their record, and parts of one that
# have requests of their own.  What is in the sandbox afterwards, how many calls
# that took, and what faults do.
use strict;
use warnings;
use utf8;

use Cwd qw(abs_path);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000, request_timeout => 1500 },
	conf => 'restart_after_crash = on');
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $invoices = '/api.xro/2.0/Invoices';
my $json = JSON::PP->new->canonical;

# The calls of a statement, without query and keys, counted: "PUT /...": n
sub cost
{
	my ($sql) = @_;
	my $mark = $sandbox->mark;
	my $result = $session->try($sql);
	my %calls;
	$calls{ $_ =~ s/\?.*//r =~ s/[0-9a-f-]{36}/*/gr }++ foreach $sandbox->calls($mark);
	return ($result, \%calls);
}

# Invoices whose number begins so, by number; and their lines, as Xero has them
sub invoices_of
{
	my ($prefix) = @_;
	return { map { $_->{InvoiceNumber} => $_ } grep { ($_->{InvoiceNumber} // '') =~ /^\Q$prefix\E/ } @{ $sandbox->state('Invoices') } };
}
sub lines_of { my ($number) = @_; return @{ invoices_of($number)->{$number}{LineItems} }; }
sub texts_of { my ($number) = @_; return join(',', map { $_->{Description} } lines_of($number)); }

sub make_invoices
{
	my ($prefix, $count) = @_;
	$session->rows(qq{INSERT INTO xero.invoices (type, contact_id, date, due_date, invoice_number, line_items)
		SELECT 'ACCREC', contact_id, '2026-03-01', '2026-03-31', '$prefix' || lpad(n::text, 3, '0'),
			'[{"Description": "kept", "Quantity": 2, "UnitAmount": 1.2345, "AccountCode": "200"}]'
		FROM generate_series(1, $count) AS n, (SELECT contact_id FROM xero.contacts WHERE contact_status = 'ACTIVE' ORDER BY contact_id LIMIT 1) AS c});
	$session->rows(qq{DROP TABLE IF EXISTS made; CREATE TABLE made AS SELECT invoice_id, invoice_number FROM xero.invoices WHERE invoice_number LIKE '$prefix%'});
	return;
}

# Batches: forty invoices are read and written at a time
make_invoices('B', 100);
my $before = invoices_of('B');
my ($result, $calls) = cost(q{INSERT INTO xero.invoice_line_items (invoice_id, description, quantity, unit_amount, account_code)
	SELECT invoice_id, 'line ' || n, n, 2.5, '200' FROM generate_series(1, 3) AS n, made ORDER BY n, invoice_id});
is($result->{state}, '00000', '300 lines of 100 invoices') or diag($result->{text});
is_deeply($calls, { "GET $invoices" => 3, "POST $invoices" => 3 }, '... are three calls to read and three to write');
my $after = invoices_of('B');
is(scalar(grep { join(',', map { $_->{Description} } @{ $_->{LineItems} }) eq 'kept,line 1,line 2,line 3' } values %$after), 100, '... in their order');
is(scalar(grep { $json->encode($before->{$_}{LineItems}[0]) eq $json->encode($after->{$_}{LineItems}[0]) } keys %$before), 100, '... and the line before is as it was');

($result, $calls) = cost(q{UPDATE xero.invoice_line_items SET quantity = 10 WHERE invoice_id IN (SELECT invoice_id FROM made) AND description = 'line 2'});
is($result->{state}, '00000', 'an UPDATE of 100 lines') or diag($result->{text});
is($calls->{"POST $invoices"}, 3, '... is three calls to write');
$after = invoices_of('B');
is(scalar(grep { join(',', map { $_->{Quantity} + 0 } @{ $_->{LineItems} }) eq '2,1,10,3' } values %$after), 100, '... and changes them only');
is(scalar(grep { $_->{SubTotal} == 37.47 } values %$after), 100, '... and the sums follow');

($result, $calls) = cost(q{DELETE FROM xero.invoice_line_items WHERE invoice_id IN (SELECT invoice_id FROM made) AND description IN ('line 1', 'line 3')});
is($result->{state}, '00000', 'a DELETE of 200 lines') or diag($result->{text});
is($calls->{"POST $invoices"}, 3, '... is three calls to write');
is(texts_of('B007'), 'kept,line 2', '... and removes them only');

my @posts = grep { $_->{method} eq 'POST' && $_->{path} eq $invoices } $sandbox->log(0);
is(scalar(grep { $_->{query} !~ /summarizeErrors=false&unitdp=4/ } @posts), 0, 'each write tells of its records, with four decimals');
my %keys = map { my $call = $_; map { lc($_) eq 'idempotency-key' ? ($call->{headers}{$_} => 1) : () } keys %{ $call->{headers} } } @posts;
is(scalar(keys %keys), 9, '... and has a key of its own');

($result, $calls) = cost(q{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, 'told ' || n FROM made, generate_series(1, 2) AS n WHERE invoice_number = 'B001' RETURNING description});
is($result->{rows}, "told 1\ntold 2", 'RETURNING');
is_deeply($calls, { "GET $invoices" => 1, "POST $invoices" => 1 }, '... is one call to read and one to write');

my $file = PostgreSQL::Test::Utils::tempdir() . '/lines.csv';
append_to_file($file, join('', map { my $id = $after->{$_}{InvoiceID}; "$id,copied 1\n$id,copied 2\n" } sort keys %$after));
($result, $calls) = cost("COPY xero.invoice_line_items (invoice_id, description) FROM '$file' WITH (FORMAT csv)");
is($result->{state}, '00000', 'COPY of 200 lines') or diag($result->{text});
is($calls->{"POST $invoices"}, 3, '... is three calls to write');
is(texts_of('B100'), 'kept,line 2,copied 1,copied 2', '... and they are there');

# Only shown; and seen by triggers
($result, $calls) = cost(q{SET xero_fdw.dry_run = on; UPDATE xero.invoice_line_items SET quantity = 1 WHERE invoice_id = (SELECT invoice_id FROM made WHERE invoice_number = 'B002') AND description = 'line 2'; RESET xero_fdw.dry_run});
is($calls->{"POST $invoices"} // 0, 0, 'dry_run writes nothing');
like($result->{text}, qr/NOTICE:.*would send POST \Q$invoices\E\?summarizeErrors=false&unitdp=4\nDETAIL:  \{"Invoices":\[\{"InvoiceID":"[0-9a-f-]{36}","LineItems":\[\{.*"Description":"line 2","LineItemID":"[0-9a-f-]{36}","Quantity":1,/, '... and shows the whole list');
$session->rows(q{CREATE TABLE heard (what text);
	CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO heard VALUES (concat_ws('' '', TG_OP, OLD.description, OLD.line_amount, NEW.description, NEW.line_amount)); RETURN NULL; END';
	CREATE TRIGGER hear AFTER INSERT OR UPDATE OR DELETE ON xero.invoice_line_items FOR EACH ROW EXECUTE FUNCTION hear()});
$session->rows(q{INSERT INTO xero.invoice_line_items (invoice_id, description, quantity, unit_amount) SELECT invoice_id, 'heard', 2, 3 FROM made WHERE invoice_number = 'B002'});
$session->rows(q{UPDATE xero.invoice_line_items SET quantity = 5 WHERE description = 'heard'});
$session->rows(q{DELETE FROM xero.invoice_line_items WHERE description = 'heard'});
is($session->rows('SELECT * FROM heard'), "INSERT heard 6.00\nUPDATE heard 6.00 heard 15.00\nDELETE heard 15.00", 'triggers see what was stored');
$session->rows('DROP TRIGGER hear ON xero.invoice_line_items');

# A long list is cut into several requests
make_invoices('L', 40);
$session->rows(q{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, repeat('x', 4000) FROM generate_series(1, 20), made});
($result, $calls) = cost(q{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, 'last' FROM made});
is($result->{state}, '00000', 'invoices of together more than 3 MB') or diag($result->{text});
is_deeply($calls, { "GET $invoices" => 1, "POST $invoices" => 2 }, '... are read at once and written in two parts');
is(scalar(grep { scalar(@{ $_->{LineItems} }) == 22 } values %{ invoices_of('L') }), 40, '... all of them');

# Hostile texts are sent back as they are
make_invoices('H', 1);
my @hostile = ("'", '"', '\\', '\\n', '\\u0000', "tab\there", "line\nbreak", '{"Name": "x"}', '[]', 'null', '</script>', "\x{1f600}\x{1f468}\x{200d}\x{1f469}",
	"e\x{301} \x{202e}right", "\x{1}\x{1f}\x{7f}", '%00%s%n', "\x{fffc}", '&amp;', '/', "\x{2028}", 'a' x 4000, "\x{e4}" x 4000);
foreach my $text (@hostile)
{
	my $hex = unpack('H*', do { my $bytes = $text; utf8::encode($bytes); $bytes });
	$result = $session->try(qq{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, convert_from('\\x$hex', 'UTF8') FROM made RETURNING encode(convert_to(description, 'UTF8'), 'hex')});
	is($result->{rows}, $hex, 'a hostile text comes back') or diag($result->{text});
}
is_deeply([ map { $_->{Description} } lines_of('H001') ], [ 'kept', @hostile ], '... and survives the writes after it');

# What others do between the reading of the statement and that of the write
make_invoices('M', 3);
my $control = abs_path(abs_path(__FILE__) =~ s{/test/t/[^/]*$}{}r . '/test/sandbox-control');
$session->rows(q{CREATE FUNCTION meddle(change text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'XERO_SANDBOX_URL=} . $sandbox->url . qq{ $control } . q{change ''' || change || '''');
		RETURN 'meddled';
	END $$});
my $m = invoices_of('M');
my ($m1, $m2) = map { $m->{$_}{InvoiceID} } qw(M001 M002);
my $line = $m->{M001}{LineItems}[0];
my $added = encode_json({ object => 'Invoices', id => $m1, set => { LineItems => [ $line, { %$line, LineItemID => '11111111-1111-1111-1111-111111111111', Description => 'of another' } ] } });
$result = $session->try(qq{UPDATE xero.invoice_line_items SET description = meddle('$added') WHERE invoice_id = '$m1'});
is($result->{state}, '00000', 'a line is added meanwhile') or diag($result->{text});
is(texts_of('M001'), 'meddled,of another', '... and stays');
my $removed = encode_json({ object => 'Invoices', id => $m2, set => { LineItems => [ { %$line, LineItemID => '22222222-2222-2222-2222-222222222222', Description => 'other' } ] } });
$result = $session->try(qq{UPDATE xero.invoice_line_items SET description = meddle('$removed') WHERE invoice_id = '$m2'});
is($result->{state}, 'P0002', 'a line is removed meanwhile') or diag($result->{text});
is(texts_of('M002'), 'other', '... and nothing is written');

# Faults: each line is there once
sub suffers
{
	my ($case, $fault, $state) = @_;
	my $mark = $sandbox->mark;
	$sandbox->faults({ path => $invoices, method => 'POST', times => 1, %$fault });
	my $answer = $session->try(qq{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, '$case' FROM made});
	is($answer->{state}, $state, "$case: SQLSTATE") or diag($answer->{text});
	my %used;
	foreach my $call (grep { $_->{method} eq 'POST' } $sandbox->log($mark))
	{
		my ($name) = grep { lc($_) eq 'idempotency-key' } keys %{ $call->{headers} };
		$used{ $call->{headers}{$name} }++;
	}
	is(scalar(keys %used), 1, "$case: a retry has the same key");
	$sandbox->faults;
	if ($state eq '08007')
	{
		like($answer->{text}, qr/DETAIL:  POST \Q$invoices\E \(invoice_id [0-9a-f-]{36}: row 1, description "\Q$case\E"; .*\) with idempotency key [0-9a-f-]{36} was sent/, "$case: which records, which rows, which key");
		my $rest = $session->try(qq{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, '$case' FROM made
			WHERE invoice_id NOT IN (SELECT invoice_id FROM xero.invoice_line_items WHERE description = '$case' AND invoice_id IN (SELECT invoice_id FROM made))});
		is($rest->{state}, '00000', "$case: the rest") or diag($rest->{text});
	}
	is(join(',', map { scalar(grep { $_->{Description} eq $case } lines_of(sprintf('F%03d', $_))) } 1 .. 3), '1,1,1', "$case: once in each");
	return;
}
make_invoices('F', 3);
suffers('dropped before', { drop => 'before' }, '00000');
suffers('dropped after', { drop => 'after' }, '00000');
suffers('truncated', { truncate => 300 }, '00000');
suffers('too late', { delay_ms => 3000 }, '00000');
suffers('minute limit', { problem => 'minute', retry_after => 1 }, '00000');
suffers('server error, stored', { status => 500, body => '{"Message": "x"}', worked => 1 }, '00000');
suffers('always dropped after', { drop => 'after', times => 9 }, '08007');
suffers('always dropped before', { drop => 'before', times => 9 }, '08007');

$sandbox->faults({ path => $invoices, method => 'GET', status => 403, body => '{"Title": "Forbidden"}' });
$result = $session->try(q{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, 'unread' FROM made});
is($result->{state}, '42501', 'records that cannot be read are not written');
unlike($result->{text}, qr/unknown/, '... and there is no doubt');
$sandbox->faults;

$sandbox->faults({ path => $invoices, method => 'POST', times => 1, delay_ms => 1000 });
my $doomed = XeroSession->new($node);
my $mark = $sandbox->mark;
$doomed->start(q{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, 'killed' FROM made});
for (1 .. 300) { last if grep { $_->{method} eq 'POST' } $sandbox->log($mark); sleep(0.05); }
$xero->crash($doomed->pid);
$doomed->wait;
sleep(1.5);
$sandbox->faults;
$session->quit;
$session = XeroSession->new($node);
$result = $session->try(q{INSERT INTO xero.invoice_line_items (invoice_id, description) SELECT invoice_id, 'killed' FROM made
	WHERE invoice_id NOT IN (SELECT invoice_id FROM xero.invoice_line_items WHERE description = 'killed' AND invoice_id IN (SELECT invoice_id FROM made))});
is($result->{state}, '00000', 'after a crash: the rest') or diag($result->{text});
is(join(',', map { scalar(grep { $_->{Description} eq 'killed' } lines_of(sprintf('F%03d', $_))) } 1 .. 3), '1,1,1', '... once in each');

# One refused record does not hold up the others
$result = $session->try(q{SET xero_fdw.on_row_error = log; INSERT INTO xero.invoice_line_items (invoice_id, description, quantity, unit_amount, account_code)
	SELECT invoice_id, 'half ' || n, 1, 1, CASE WHEN invoice_number = 'F002' AND n = 1 THEN 'none' ELSE '200' END FROM made, generate_series(1, 2) AS n ORDER BY invoice_number, n; RESET xero_fdw.on_row_error});
is($result->{state}, '00000', 'going on') or diag($result->{text});
like($result->{text}, qr/2 rows of foreign table "invoice_line_items" were refused/, '... without a record');
is(join(' ', map { scalar(grep { $_->{Description} =~ /^half/ } lines_of(sprintf('F%03d', $_))) } 1 .. 3), '2 0 2', '... of which nothing is stored');
is($session->rows(q{SELECT string_agg(key || ' ' || ("values" ->> 'AccountCode'), ';' ORDER BY key) FROM xero_fdw.write_errors}), 'row 3, description "half 1" none;row 4, description "half 2" 200', '... and both rows are noted');

# Parts with requests of their own, by record
$session->rows(q{DELETE FROM xero.invoice_line_items WHERE invoice_id = (SELECT invoice_id FROM xero.invoices WHERE invoice_number = 'B050') AND description LIKE 'copied %'});
$session->rows(q{UPDATE xero.invoices SET status = 'AUTHORISED' WHERE invoice_number = 'B050'});
$session->rows(q{INSERT INTO xero.credit_notes (type, contact_id, date, due_date, status, credit_note_number, line_items)
	SELECT 'ACCRECCREDIT', contact_id, '2026-03-01', '2026-03-31', 'AUTHORISED', 'A-' || n, '[{"Description": "x", "Quantity": 1, "UnitAmount": 9, "AccountCode": "200"}]'
	FROM xero.invoices, generate_series(1, 2) AS n WHERE invoice_number = 'B050'});
sub allocated { return join(' ', map { scalar(@{ $_->{Allocations} }) } sort { $a->{CreditNoteNumber} cmp $b->{CreditNoteNumber} } grep { ($_->{CreditNoteNumber} // '') =~ /^A-/ } @{ $sandbox->state('CreditNotes') }); }
$sandbox->faults({ path => '/api.xro/2.0/CreditNotes/*', method => 'PUT', drop => 'after', times => 1 });
($result, $calls) = cost(q{INSERT INTO xero.credit_note_allocations (credit_note_id, invoice_number, amount, date)
	SELECT credit_note_id, 'B050', n, '2026-03-05' FROM generate_series(1, 2) AS n, xero.credit_notes WHERE credit_note_number LIKE 'A-%' ORDER BY n});
is($result->{state}, '00000', 'allocations of two credit notes, one answer lost') or diag($result->{text});
is($calls->{'PUT /api.xro/2.0/CreditNotes/*/Allocations'}, 3, '... are a call each, and a retry');
is(allocated(), '2 2', '... and there once');
$sandbox->faults({ path => '/api.xro/2.0/CreditNotes/*', method => 'DELETE', drop => 'after', times => 1 });
($result, $calls) = cost(q{DELETE FROM xero.credit_note_allocations WHERE amount = 2 AND credit_note_id IN (SELECT credit_note_id FROM xero.credit_notes WHERE credit_note_number LIKE 'A-%')});
is($result->{state}, '00000', 'taking back, one answer lost') or diag($result->{text});
is($calls->{'DELETE /api.xro/2.0/CreditNotes/*/Allocations/*'}, 3, '... is a call each, and a retry');
is(allocated(), '1 1', '... and leaves the others');
$sandbox->faults;

$session->rows(q{INSERT INTO xero.contact_groups (name) VALUES ('Everybody')});
($result, $calls) = cost(q{INSERT INTO xero.contact_group_contacts (contact_group_id, contact_id)
	SELECT contact_group_id, contact_id FROM xero.contact_groups AS g, xero.contacts WHERE g.name = 'Everybody' AND contact_status = 'ACTIVE' LIMIT 90});
is($result->{state}, '00000', '90 members of a group') or diag($result->{text});
is($calls->{'PUT /api.xro/2.0/ContactGroups/*/Contacts'}, 2, '... are two calls');
my ($group) = grep { $_->{Name} eq 'Everybody' } @{ $sandbox->state('ContactGroups') };
is(scalar(@{ $group->{Contacts} }), 90, '... and 90 members');

# Several organisations
$sandbox->reset(seed => 1, tenants => 2, strict => JSON::PP::true, limits => JSON::PP::false);
$session->quit;
$session = XeroSession->new($node);
($result, $calls) = cost(q{INSERT INTO xero.invoice_line_items (tenant_id, invoice_id, description)
	SELECT tenant_id, invoice_id, 'for ' || tenant_id FROM (SELECT tenant_id, invoice_id, row_number() OVER (PARTITION BY tenant_id ORDER BY invoice_id) AS n FROM xero.invoices WHERE status = 'DRAFT') AS s WHERE n <= 3});
is($result->{state}, '00000', 'lines for two organisations') or diag($result->{text});
is($calls->{"POST $invoices"}, 2, '... are a call each');
is($session->rows(q{SELECT count(*), count(DISTINCT tenant_id) FROM xero.invoice_line_items WHERE description = 'for ' || tenant_id}), '6|2', '... where they belong');
$result = $session->try(q{UPDATE xero.invoice_line_items SET description = 'now' WHERE description LIKE 'for %' RETURNING tenant_id IS NOT NULL});
is($result->{rows}, join("\n", ('t') x 6), 'an UPDATE of both') or diag($result->{text});

done_testing();
