# Lists that change while they are being read: each record that was there all
# the time comes exactly once, or the statement fails.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--strict', '--no-limits' ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $size = 10;
my %fresh = (contacts => 60, strict => 1, limits => 0);
$session->rows(<<"SQL");
CREATE FOREIGN TABLE paged (id uuid OPTIONS (field 'ContactID'), name text OPTIONS (field 'Name'), status text OPTIONS (field 'ContactStatus'),
	phones jsonb OPTIONS (field 'Phones')) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '$size');
CREATE FOREIGN TABLE phones (id uuid OPTIONS (field '../ContactID'), type text OPTIONS (field 'PhoneType'))
	SERVER xero OPTIONS (object 'accounting/Contacts/Phones', page_size '$size');
SQL

sub lines { return split /\n/, $session->rows($_[0]); }
sub without { my %gone = map { $_ => 1 } @{ $_[1] }; return grep { !$gone{$_} } @{ $_[0] }; }
sub pages_of { return map { /[?&]page=(\d+)/ ? $1 : $_ } $sandbox->calls($_[0]); }

# Reads $query by a cursor; after $after rows, $change is done, which gets all
# ids in the order they have.  Returns those, what the cursor gave, and the
# pages that were asked for.
sub change_while_reading
{
	my ($query, $after, $change) = @_;
	$sandbox->reset(%fresh);
	my @before = lines($query);
	my $mark = $sandbox->mark;
	$session->rows("BEGIN; DECLARE c CURSOR FOR $query");
	my @got = lines("FETCH $after FROM c");
	my @expected = $change->(@before);
	push @got, lines('FETCH ALL FROM c');
	$session->rows('COMMIT');
	return (\@before, \@got, [ pages_of($mark) ]);
}

sub remove { $sandbox->change(object => 'Contacts', id => $_, delete => JSON::PP::true) foreach @_; return; }
sub each_once { my ($got, $expected, $name) = @_; return is_deeply([ sort @$got ], [ sort @$expected ], $name); }

my $all = 'SELECT id FROM paged';
my ($before, $got, $pages);

# Nothing changes
($before, $got, $pages) = change_while_reading($all, 25, sub { });
is(scalar(@$before), 60, 'sixty contacts');
is_deeply($got, $before, 'no change: all rows in order');
is_deeply($pages, [ 1 .. 6 ], 'no change: each page once');

# Records that appear before the place push others onto the next page, where
# they have been seen; those that appear behind it are found.
my @new = map { sprintf '%08x-0000-4000-8000-%012x', $_, $_ } 1 .. 3;               # SQL Server sorts these first
my @last = map { sprintf '%08x-0000-4000-8000-fffffffffff%x', $_, $_ } 1 .. 3;      # and these last
sub appear { $sandbox->change(object => 'Contacts', create => { ContactID => $_, Name => "new $_", ContactStatus => 'ACTIVE' }) foreach @_; return; }
($before, $got, $pages) = change_while_reading($all, 25, sub { appear(@new) });
each_once($got, $before, 'three appear before the place: no row twice, none lost');
is_deeply($pages, [ 1 .. 7 ], 'three appear before the place: one page more');
($before, $got, $pages) = change_while_reading($all, 25, sub { appear(@last) });
each_once($got, [ @$before, @last ], 'three appear behind the place: they come too');
($before, $got, $pages) = change_while_reading($all, 20, sub { appear(@new, @last) });
each_once($got, [ @$before, @last ], 'on both sides, between two pages');

# Records that go from before the place pull others over the border to a page
# that has been read: it is read again.
my @read;
($before, $got, $pages) = change_while_reading($all, 20, sub { remove($_[3]) });
each_once($got, $before, 'one of those read goes: none lost');
is_deeply($pages, [ 1, 2, 3, 2, 4 .. 6 ], 'one goes: the page before is read again');
($before, $got, $pages) = change_while_reading($all, 20, sub { remove(@_[ 12 .. 19 ]) });
each_once($got, $before, 'eight of the page before go');
($before, $got, $pages) = change_while_reading($all, 20, sub { remove(@_[ 0 .. 9 ]) });
each_once($got, $before, 'as many as a page holds go');
($before, $got, $pages) = change_while_reading($all, 20, sub { remove(@_[ 2 .. 16 ]) });
each_once($got, $before, 'more than a page holds go: pages are read again as far back as needed');
($before, $got, $pages) = change_while_reading($all, 30, sub { remove(@_[ 0 .. 27 ]) });
each_once($got, $before, 'nearly all that were read go');
($before, $got, $pages) = change_while_reading($all, 30, sub { remove(@_[ 0 .. 29 ]) });
each_once($got, $before, 'all that were read go');
($before, $got, $pages) = change_while_reading($all, 20, sub { remove(@_[ 30 .. 32 ]) });
each_once($got, [ @$before[ 0 .. 29, 33 .. 59 ] ], 'some of those to come go');
($before, $got, $pages) = change_while_reading($all, 20, sub { remove(@_[ 5 .. 7, 30 .. 32 ]) });
each_once($got, [ @$before[ 0 .. 29, 33 .. 59 ] ], 'on both sides');
($before, $got, $pages) = change_while_reading($all, 50, sub { remove(@_[ 0 .. 11 ]) });
each_once($got, $before, 'the last page is gone: the one before is read again');
($before, $got, $pages) = change_while_reading($all, 20, sub { remove(@_[ 20 .. 59 ]) });
each_once($got, [ @$before[ 0 .. 19 ] ], 'all to come go');

# Records that leave the filtered set without going
my $active = q{SELECT id FROM paged WHERE status = 'ACTIVE'};
($before, $got, $pages) = change_while_reading($active, 20,
	sub { $sandbox->change(object => 'Contacts', id => $_, set => { ContactStatus => 'ARCHIVED' }) foreach @_[ 1, 4, 15 ] });
each_once($got, $before, 'three leave the filtered set: none lost');
($before, $got, $pages) = change_while_reading($all, 20,
	sub { $sandbox->change(object => 'Contacts', id => $_, set => { Name => "other $_" }) foreach @_[ 0 .. 59 ] });
is_deeply($got, $before, 'an edited record keeps its place');
is_deeply($pages, [ 1 .. 6 ], 'and costs no call');

# Rows of child tables: all of a record's, or none, and once
my $phones = q{SELECT id || ' ' || type FROM phones};
my $first = sub { my %seen; return grep { !$seen{$_}++ } map { (split / /)[0] } @_; };
($before, $got, $pages) = change_while_reading($phones, 82, sub { my @ids = $first->(@_); remove(@ids[ 3, 4 ]) });
each_once($got, $before, 'phones of contacts, two of which go');
($before, $got, $pages) = change_while_reading($phones, 82, sub { appear(@new) });
each_once($got, $before, 'phones of contacts that move on to the next page');

# A window of the list: OFFSET leaves out the pages before it for good.
$session->rows(q{ALTER SERVER xero OPTIONS (ADD concurrency '1')});
my ($window, $rest) = ("$all LIMIT 30 OFFSET 20", "$all OFFSET 40");
($before, $got, $pages) = change_while_reading($window, 15, sub { });
is_deeply($got, $before, 'window, no change: all rows in order');
is(scalar(@$got), 30, '... as many as LIMIT says');
is_deeply($pages, [ 3 .. 5 ], '... from their pages');
($before, $got, $pages) = change_while_reading($window, 15, sub { appear(@new) });
each_once($got, $before, 'window, three appear before it');
is_deeply($pages, [ 3 .. 6 ], '... which takes a page more');
($before, $got, $pages) = change_while_reading($window, 15, sub { remove($_[3]) });
my %distinct = map { $_ => 1 } @$got;
is(scalar(keys %distinct), 30, 'window, one of its rows goes: as many rows as LIMIT says, none twice');
($before, $got, $pages) = change_while_reading($rest, 5, sub { remove($_[2]) });
each_once($got, $before, 'window to the end, one that was read goes: none lost');
is_deeply($pages, [ 5, 6, 5 ], '... the page before is read again');
my @first = lines($all);
($before, $got, $pages) = change_while_reading($rest, 5, sub { remove(@first[ 0, 1 ]) });
each_once($got, $before, 'window to the end, two go from before it: none lost');
is_deeply($pages, [ 5, 6, 5 ], '... and no page before it is read');
$session->rows('ALTER SERVER xero OPTIONS (DROP concurrency)');

# A list that keeps shrinking is not read for ever.
$sandbox->reset(%fresh);
my @ids = lines($all);
$sandbox->faults({ path => '/api.xro/2.0/Contacts', delay_ms => 200 });
my $mark = $sandbox->mark;
$session->start('SELECT count(*), count(phones) FROM paged');
for my $id (@ids[ 20 .. 49 ]) { remove($id); select(undef, undef, undef, 0.08); }
my $result = $session->wait;
is($result->{state}, 'HV00L', 'a list that keeps shrinking: SQLSTATE') or diag($result->{text} // $result->{rows});
like($result->{text}, qr/foreign table "paged" keeps changing while it is being read/, 'a list that keeps shrinking: message');
$sandbox->faults;
is($session->rows('SELECT count(*) FROM (SELECT name FROM paged OFFSET 0) AS x'), 30, 'and afterwards it is read');

# Nor are changes beyond what is remembered repaired.
sub fails_after
{
	my ($name, $after, $change) = @_;
	$sandbox->reset(%fresh, contacts => 120);
	my @all = lines($all);
	$session->rows("BEGIN; DECLARE c CURSOR FOR $all");
	$session->rows("MOVE $after FROM c");
	$change->(@all);
	my $outcome = $session->try('FETCH ALL FROM c');
	is($outcome->{state}, 'HV00L', "$name: SQLSTATE") or diag($outcome->{rows});
	like($outcome->{text}, qr/"paged" keeps changing while it is being read/, "$name: message");
	$session->rows('ROLLBACK');
	return;
}
fails_after('80 of 100 go', 100, sub { remove(@_[ 10 .. 89 ]) });

# Changes while pages are asked for ahead, several at once
$sandbox->reset(%fresh, contacts => 200);
@ids = lines($all);
$sandbox->faults({ path => '/api.xro/2.0/Contacts', delay_ms => 40 });
$session->start('SELECT id, phones FROM paged');
my @gone = @ids[ 11, 42, 73, 104 ];
for my $id (@gone) { select(undef, undef, undef, 0.1); remove($id); }
appear(@new);
$result = $session->wait;
$sandbox->faults;
my @came = map { (split /\|/)[0] } split /\n/, $result->{rows};
my %came;
$came{$_}++ foreach @came;
is($result->{state}, '00000', 'pages ahead: the list is read') or diag($result->{text});
is_deeply([ grep { !$came{$_} } without(\@ids, \@gone) ], [], 'pages ahead: none lost');
is_deeply([ grep { $came{$_} > 1 } keys %came ], [], 'pages ahead: none twice');

# Answers that contradict themselves
$sandbox->reset(%fresh);
$sandbox->data(path => '/api.xro/2.0/Contacts', body => '{"pagination": {"page": 1, "pageSize": 10, "pageCount": 1, "itemCount": 5}, "Contacts": ['
	  . join(', ', map { qq({"ContactID": "$_", "Name": "x"}) } @ids[ 0, 1 ]) . ']}');
$result = $session->try('SELECT name FROM paged');
is($result->{state}, 'HV00L', 'fewer records than were counted: SQLSTATE');
like($result->{text}, qr/"paged" was not read completely\nDETAIL:  Xero counted 5 records but sent 2\./, 'fewer records than were counted: message');
$sandbox->data(path => '/api.xro/2.0/Contacts', body => '{"pagination": {"page": 1, "pageSize": 2, "pageCount": 3, "itemCount": 6}, "Contacts": ['
	  . join(', ', map { qq({"ContactID": "$_", "Name": "x"}) } @ids[ 0, 1 ]) . ']}');
$result = $session->try('SELECT name FROM paged');
is($result->{state}, 'HV00L', 'the same page again: SQLSTATE');
like($result->{text}, qr/Xero sent the same page of foreign table "paged" again\nDETAIL:  Page 2 /, 'the same page again: message');

done_testing();
