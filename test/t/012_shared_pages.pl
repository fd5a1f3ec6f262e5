# Pages that two scans of a statement have in common: lists that change, calls
# that fail or are given up, and many pages on their way at once.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--strict', '--no-limits' ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $list = '/api.xro/2.0/Contacts';
my %fresh = (contacts => 60, strict => 1, limits => 0);
$session->rows(<<'SQL');
CREATE FOREIGN TABLE paged (id uuid OPTIONS (field 'ContactID'), name text OPTIONS (field 'Name'), status text OPTIONS (field 'ContactStatus'))
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '10');
CREATE FOREIGN TABLE phones (id uuid OPTIONS (field '../ContactID'), type text OPTIONS (field 'PhoneType'))
	SERVER xero OPTIONS (object 'accounting/Contacts/Phones', page_size '10');
SQL

sub pages_of { return join ' ', map { /[?&]page=(\d+)/ ? $1 : $_ } $sandbox->calls($_[0]); }
sub is_idle { is($session->rows('SELECT coalesce(sum(in_flight + waiting), 0) FROM xero_fdw.budget'), '0', "$_[0]: no slot is held"); return; }
sub lines { return split /\n/, $session->rows($_[0]); }

# What a statement returns, and the pages that it asks for.
sub costs
{
	my ($name, $sql, $rows, $pages) = @_;
	my $mark = $sandbox->mark;
	is($session->rows($sql), $rows, "$name: rows");
	is(join(' ', sort split / /, pages_of($mark)), $pages, "$name: pages");
	return;
}

# Both scans are under way at once.
$sandbox->reset(%fresh);
my $types = $session->rows('SELECT count(*) FROM phones');
foreach my $off ('enable_mergejoin, enable_nestloop', 'enable_hashjoin, enable_nestloop', 'enable_hashjoin, enable_mergejoin')
{
	my $settings = join '', map { "SET $_ = off;" } split /, /, $off;
	costs("without $off", "$settings SELECT count(*) FROM paged JOIN phones USING (id)", $types, '1 2 3 4 5 6');
	$session->rows('RESET ALL');
}
costs('a scan that ends early', 'SELECT count(upper(name)), (SELECT count(*) FROM (SELECT FROM paged LIMIT 15) AS x) FROM paged', '60|15', '1 2 3 4 5 6');
costs('cap on calls', 'SET xero_fdw.max_calls = 6; SELECT count(*) FROM paged JOIN phones USING (id)', $types, '1 2 3 4 5 6');
$session->rows('RESET ALL');

# A call that is repeated brings its answer to both.
$sandbox->faults({ path => $list, after => 2, times => 1, status => 503 });
costs('status 503', 'SELECT count(*) FROM paged JOIN phones USING (id)', $types, '1 2 3 3 4 5 6');
$sandbox->faults({ path => $list, after => 3, times => 9, status => 400 });
isnt($session->try('SELECT count(*) FROM paged JOIN phones USING (id)')->{state}, '00000', 'status 400 is an error');
$sandbox->faults();
is_idle('status 400');
costs('the next statement', 'SELECT count(*) FROM paged JOIN phones USING (id)', $types, '1 2 3 4 5 6');
$sandbox->faults({ path => $list, after => 1, delay_ms => 20000 });
is($session->try(q{SET statement_timeout = '1s'; SELECT count(*) FROM paged JOIN phones USING (id)})->{state}, '57014', 'cancelled');
$sandbox->faults();
$session->rows('RESET ALL');
is_idle('cancelled');

# The list changes after the first scan has ended: what it has read stands.
sub change_while_reading
{
	my ($after) = @_;
	$sandbox->reset(%fresh);
	my @ids = lines('SELECT id FROM paged');
	my $mark = $sandbox->mark;
	$session->rows(q{BEGIN; DECLARE c CURSOR FOR SELECT 'a', id FROM paged UNION ALL SELECT 'b', id FROM paged});
	my @got = lines("FETCH $after FROM c");
	$sandbox->change(object => 'Contacts', id => $ids[3], delete => JSON::PP::true);
	push @got, lines('FETCH ALL FROM c');
	$session->rows('COMMIT');
	my $first = join ' ', sort map { /^a\|(.*)/ ? $1 : () } @got;
	my $second = join ' ', sort map { /^b\|(.*)/ ? $1 : () } @got;
	my $all = join ' ', sort @ids;
	my $left = join ' ', sort grep { $_ ne $ids[3] } @ids;
	return ($first, $second, $all, $left, pages_of($mark));
}
my ($first, $second, $all, $left, $pages) = change_while_reading(65);
is($first, $all, 'a change after the first scan: all records');
is($second, $all, 'and the second scan has the same ones');
is($pages, '1 2 3 4 5 6', 'which costs nothing');

# It changes during the first scan, which reads a page again; nothing of that
# list is kept then.
($first, $second, $all, $left, $pages) = change_while_reading(25);
is($first, $all, 'a change during the first scan: none lost');
is($second, $left, 'the second scan reads the list as it is now');
is($pages, '1 2 3 4 3 5 6 1 2 3 4 5 6', 'from its beginning');

# What is kept is bounded, and what is not kept is asked for.
$sandbox->reset(%fresh);
costs('no room', q{SET xero_fdw.statement_cache = '1kB'; SELECT count(*) FROM paged JOIN phones USING (id)}, $types, '1 1 2 2 3 3 4 4 5 5 6 6');
$session->rows('RESET ALL');
is_idle('at the end');

$session->quit;
done_testing();
