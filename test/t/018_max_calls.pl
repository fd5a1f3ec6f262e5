# xero_fdw.max_calls: what cannot do with it is refused before its first call, and what
# ends there, or at a limit of Xero's, says which table has taken the calls.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSandbox;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--invoices', 250, '--contacts', 120, '--minute-limit', 1000 ],
	server => { page_size => 50, minute_limit => 1000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
$session->rows('SET search_path = xero, public');
my $mark;

# The calls of a statement under max_calls, and what it says if it fails
sub ends
{
	my ($max_calls, $statement) = @_;
	$session->rows("SET xero_fdw.max_calls = $max_calls");
	$mark = $sandbox->mark;
	my $result = $session->try($statement);
	return (scalar(grep { m{/api\.xro/} } $sandbox->calls($mark)), $result->{state}, $result->{text});
}

sub goes_on
{
	my ($max_calls, $calls, $statement) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($made, $state, $text) = ends($max_calls, $statement);
	is("$state $made", "00000 $calls", "goes on: $statement") or diag($text);
	return;
}

sub is_refused
{
	my ($max_calls, $least, $table, $statement) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($made, $state, $text) = ends($max_calls, $statement);
	is("$state $made", '53400 0', "is refused at once: $statement");
	like($text, qr/statement needs more calls to Xero than xero_fdw\.max_calls \($max_calls\) allows\nDETAIL:  It has made 0 calls, and by what Xero has told of its lists, the plan takes at least $least more\.\nHINT:  Narrow the query, or raise xero_fdw\.max_calls\. Foreign table "$table" would take \d+ of them \(GET /, '... and says why');
	return;
}

$session->rows('SELECT count(*) FROM organisation');

# A list is five pages of invoices, three of contacts; nobody knows yet.
is((ends(2, 'SELECT sum(total) FROM invoices'))[0], 2, 'what is not known is tried');
is_refused(4, 5, 'invoices', 'SELECT sum(total) FROM invoices');
goes_on(5, 5, 'SELECT sum(total) FROM invoices');
goes_on(3, 3, 'SELECT count(lower(name)) FROM contacts');

is_refused(4, 5, 'invoices', $_) foreach
	'SELECT total FROM invoices ORDER BY reference LIMIT 1',
	'SELECT reference, count(*) FROM invoices WHERE lower(reference) > \'x\' GROUP BY 1 LIMIT 1',
	'CREATE TABLE copied AS SELECT * FROM (SELECT DISTINCT reference FROM invoices) AS i',
	'EXPLAIN ANALYZE SELECT total FROM invoices';
is_refused(4, 5, 'invoice_line_items', 'SELECT sum(line_amount) FROM invoice_line_items');
is_refused(4, 5, 'invoices', 'SELECT total FROM invoices UNION ALL SELECT amount_due FROM invoices');
goes_on(5, 5, 'SELECT total FROM invoices UNION ALL SELECT amount_due FROM invoices');
goes_on(5, 5, 'SELECT count(a.total) FROM invoices a JOIN invoices b ON a.reference = b.contact_name');
is_refused(7, 8, 'invoices', $_) foreach
	'SELECT total::text FROM invoices UNION ALL SELECT name FROM contacts',
	'SELECT count(i.total) FROM invoices i JOIN contacts c ON lower(c.name) = lower(i.contact_name)';
is_refused(4, 5, 'invoices', 'SELECT count(i.total) FROM invoices i JOIN contacts c USING (contact_id)');
is_refused(2, 3, 'contacts', 'SELECT count(i.total) FROM invoices i JOIN contacts c USING (contact_id) WHERE c.name || \'\' = \'nobody\'');

# Each of these may do with fewer, and does.
goes_on(@$_) foreach
	[ 1, 1, 'SELECT total FROM invoices LIMIT 1' ],
	[ 1, 0, 'SELECT total FROM invoices LIMIT 0' ],
	[ 1, 1, 'SELECT count(*) FROM invoices' ],
	[ 1, 1, 'SELECT max(date) FROM invoices' ],
	[ 1, 1, 'SELECT total FROM invoices ORDER BY date DESC LIMIT 3' ],
	[ 1, 1, q{SELECT total FROM invoices WHERE date = '1999-01-01'} ],
	[ 1, 0, 'SELECT (SELECT sum(total) FROM invoices) FROM generate_series(1, 0)' ],
	[ 1, 0, 'SELECT sum(total) FROM generate_series(1, 0) AS g, invoices' ],
	[ 1, 0, 'SELECT sum(total) FROM invoices WHERE random() > 2 AND current_date < \'2000-01-01\'' ],
	[ 1, 1, 'DO $$ DECLARE i record; BEGIN FOR i IN SELECT total FROM invoices LOOP EXIT; END LOOP; END $$' ],
	[ 3, 3, 'SELECT sum(i.total) FROM contacts c JOIN invoices i ON i.contact_id = c.contact_id AND i.reference = c.name WHERE c.name || \'\' = \'nobody\' AND c.name < \'\'' ];
$session->rows('SET xero_fdw.max_calls = 1');
$session->rows('BEGIN; DECLARE a_few CURSOR FOR SELECT total FROM invoices');
is(scalar(split /\n/, $session->rows('FETCH 2 FROM a_few')), 2, 'a cursor that is read a little');
$session->rows('ROLLBACK');

# What was spent before counts as well.
my ($made, $state, $text) = ends(5, 'DO $$ BEGIN PERFORM count(*) FROM contacts; PERFORM sum(total) FROM invoices; END $$');
is("$state $made", '53400 1', 'the second query of a block');
like($text, qr/It has made 1 calls, and by what Xero has told of its lists, the plan takes at least 5 more\./, '... is refused for what the first has left');

# Those that end at the limit
($made, $state, $text) = ends(6, q{DO $$ BEGIN PERFORM count(*) FROM contacts;
	FOR i IN 1 .. 9 LOOP PERFORM total FROM invoices WHERE invoice_id = ('00000000-0000-0000-0000-00000000000' || i)::uuid; END LOOP; END $$});
is("$state $made", '53400 6', 'look-ups until there are no more');
like($text, qr/HINT:  Narrow the query, or raise xero_fdw\.max_calls\. Foreign table "invoices" has taken 5 of the 6 calls so far \(GET \/api\.xro\/2\.0\/Invoices\/\.\.\.\)\.\n/, '... are told of, but for their keys');
unlike($text, qr/HINT.*00000000/, '... which may be nobody\'s business');
($made, $state, $text) = ends(2, 'INSERT INTO contacts (name) SELECT \'Many \' || g FROM generate_series(1, 150) AS g');
is("$state $made", '53400 2', 'so are writes');
like($text, qr/Foreign table "contacts" has taken 2 of the 2 calls so far \(PUT \/api\.xro\/2\.0\/Contacts\)/, '... by their method');

# Xero's limits
$session->rows('SET xero_fdw.max_calls = 0; SET xero_fdw.max_wait = 0');
$sandbox->faults({ path => '/api.xro/2.0/Invoices', after => 2, problem => 'minute', retry_after => 30 });
$text = $session->try('SELECT sum(total) FROM invoices')->{text};
like($text, qr/limit of calls a minute is used up for server "xero"\nDETAIL:  .*\nHINT:  Try again later, or raise xero_fdw\.max_wait\. Foreign table "invoices" has taken \d of the \d calls so far \(GET \/api\.xro\/2\.0\/Invoices\)\./, 'the minute is spent');
$sandbox->faults;

done_testing();
