# Records for which Xero fails: a request that holds one is taken apart, so that it
# stops nobody else.  If Xero fails whatever is written, the run is paused.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 },
	conf => "xero_fdw.max_wait = '300ms'");
my $sandbox = $xero->sandbox;
my $crm = XeroSync->new($xero);

# Xero fails for whatever holds one of these texts.
sub fails_for
{
	my ($fault, @texts) = @_;
	$sandbox->faults(map { { path => '/api.xro/2.0/*', holding => $_, status => 500, body => '{"Type": "Oops", "Message": "An error occurred"}', %$fault } } @texts);
	return;
}

sub rows_of { my ($from, $to) = @_; return map { { name => sprintf('Row %02d', $_), email => "r$_\@example.com" } } $from .. $to; }

sub prepare
{
	my (%option) = @_;
	$sandbox->faults;
	$crm->clear;
	$crm->create('crm', match_on => ['name'], conflict => 'manual', %option);
	$crm->run('crm');
	return;
}

sub names { return join(' ', sort map { $_->{Name} =~ s/^Row //r } values %{ $crm->xero }); }
sub bad { return $crm->rows(q{SELECT coalesce(string_agg(concat_ws(' ', kind, sqlstate, local_key, attempts), ', ' ORDER BY local_key), '') FROM xero_fdw.sync_issues}); }
sub but { my (@but) = @_; return join(' ', grep { my $n = $_; !grep { $_ eq $n } @but } map { sprintf '%02d', $_ } 1 .. 50); }
sub waits { return $crm->superuser->rows('SELECT count(*) FROM xero_fdw.sync_intent'); }
sub calls { my ($run) = @_; return join(', ', map { "$_ $run->{calls_by}{$_}" } sort keys %{ $run->{calls_by} }); }

# One of fifty, whether Xero keeps its failure under the key of the request or not
my $run;
foreach my $kept (0, 1)
{
	prepare();
	$crm->local_has(rows_of(1, 50));
	fails_for({ kept => $kept }, 'Row 17');
	$run = $crm->run('crm');
	is($run->{state}, 'done', 'one of 50 is bad') or diag($run->{text});
	is(names(), but('17'), '... all others are stored');
	is(bad(), 'validation 08007 [17] 1', '... and it is an issue');
	like($crm->rows('SELECT message FROM xero_fdw.sync_issues'), qr/Xero failed to carry out the request: HTTP status 500.*An error occurred/, '... that says what Xero said');
	is($run->{issues}, 1, '... and counted');
	is(calls($run), 'GET 5, PUT 21', '... so many calls does that take');
}

# It goes alone from now on, and is not in the way of others.
$crm->local_has({ name => 'Row 51' }, { name => 'Row 52' });
$run = $crm->run('crm');
is(calls($run), 'GET 1, PUT 1', 'what is new goes as ever');
is(bad(), 'validation 08007 [17] 1', '... and the bad one not at all');
$crm->rows(q{UPDATE crm.contacts SET email = 'still@example.com' WHERE name = 'Row 17'; UPDATE crm.contacts SET email = 'x@example.com' WHERE name = 'Row 01'});
$run = $crm->run('crm');
is("$run->{state} " . calls($run), 'done GET 2, POST 1, PUT 2', 'one that is edited is tried, alone and last');
is(bad(), 'validation 08007 [17] 2', '... and stays an issue');
$crm->rows(q{UPDATE crm.contacts SET name = 'Row A7' WHERE name = 'Row 17'});
$run = $crm->run('crm');
is("$run->{state} " . calls($run), 'done GET 1, PUT 1', 'one that is mended goes through');
is(bad(), '', '... and is no issue');
is_deeply([ $crm->differences ], [], '... all is equal');

# Xero gets over it.
prepare();
$crm->local_has(rows_of(1, 3));
fails_for({}, 'Row 02');
$crm->run('crm');
is(bad(), 'validation 08007 [2] 1', 'a bad row');
$crm->superuser->rows(q{UPDATE xero_fdw.sync_issue SET last_seen = last_seen - interval '59 minutes'});
is(calls($crm->run('crm')), 'GET 1', '... is left alone for an hour');
$crm->superuser->rows(q{UPDATE xero_fdw.sync_issue SET last_seen = last_seen - interval '2 minutes'});
is(calls($crm->run('crm')), 'GET 2, PUT 2', '... then tried again');
$crm->superuser->rows(q{UPDATE xero_fdw.sync_issue SET last_seen = last_seen - interval '61 minutes'});
is(calls($crm->run('crm')), 'GET 1', '... and after two hours more');
$sandbox->faults;
$crm->superuser->rows(q{UPDATE xero_fdw.sync_issue SET last_seen = last_seen - interval '60 minutes'});
is(calls($crm->run('crm')), 'GET 1, PUT 1', '... when it goes through');
is(bad(), '', '... and is no issue');
is(names(), '01 02 03', '... all are stored');

# More than one
foreach my $case ([ '01', '02' ], [ '12', '44' ], [ '01', '02', '03', '04', '05' ])
{
	prepare();
	$crm->local_has(rows_of(1, 50));
	fails_for({}, map { "Row $_" } @$case);
	$run = $crm->run('crm');
	is($run->{state}, 'done', "bad ones: @$case") or diag($run->{text});
	is(names(), but(@$case), '... all others are stored');
	is(bad(), join(', ', map { 'validation 08007 [' . ($_ + 0) . '] 1' } @$case), '... and they are issues');
	cmp_ok($run->{calls}, '<', 60, "... which takes $run->{calls} calls");
	is(waits(), 0, '... nothing waits');
}

# One that is alone: it may be Xero, for a while.
prepare();
$crm->local_has({ name => 'Row 01' });
fails_for({}, 'Row 01');
foreach my $n (1 .. 4)
{
	$run = $crm->run('crm');
	is("$run->{state} " . calls($run), 'paused GET 2, PUT 2', "nothing but a bad row, run $n");
}
is($crm->run('crm')->{state}, 'done', '... the fifth run');
is(bad(), 'validation 08007 [1] 1', '... knows that it is the row');
prepare();
$crm->local_has({ name => 'Row 01' });
fails_for({ times => 2 }, 'Row 01');
is($crm->run('crm')->{state} . $crm->run('crm')->{state}, 'pauseddone', 'Xero fails for a moment');
is(names() . bad(), '01', '... which does no harm');

# The first and the last, which looks as if it were Xero; the next run knows better.
prepare();
$crm->local_has(rows_of(1, 50));
fails_for({}, 'Row 01', 'Row 50');
is($crm->run('crm')->{state}, 'paused', 'the first and the last are bad');
$run = $crm->run('crm');
is($run->{state}, 'done', '... the next run') or diag($run->{text});
is(names(), but('01', '50'), '... all others are stored');
is(bad(), 'validation 08007 [1] 1, validation 08007 [50] 1', '... and they are issues');

# A change among creates; another user's edit of it meanwhile
prepare();
$crm->local_has(rows_of(1, 10));
$crm->run('crm');
$crm->rows(q{UPDATE crm.contacts SET email = 'new' || id || '@example.com', account = CASE id WHEN 3 THEN 'BAD' END});
$crm->local_has(rows_of(11, 20));
my ($third) = map { $_->{ContactID} } grep { $_->{Name} eq 'Row 03' } values %{ $crm->xero };
fails_for({}, '"BAD"');
$crm->xero_sets($third, { FirstName => 'Edited' });
$run = $crm->run('crm');
is($run->{state}, 'done', 'a bad change') or diag($run->{text});
is(bad(), 'validation 08007 [3] 1', '... is an issue');
is($crm->rows(q{SELECT first FROM crm.contacts WHERE id = 3}), 'Edited', '... what was edited at Xero has come');
is_deeply([ grep { !/Row 03/ } $crm->differences ], [], '... all others are equal');
is(calls($run), 'GET 4, POST 15, PUT 1', '... the calls');
$sandbox->faults;
$crm->rows(q{SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues});
is(calls($crm->run('crm')), 'GET 1, POST 1', '... which a person may have tried again');
is_deeply([ $crm->differences ], [], '... then all are equal');

# One that cannot be archived
prepare(on_delete => 'archive');
$crm->local_has(rows_of(1, 4));
$crm->run('crm');
my %id = map { $_->{Name} => $_->{ContactID} } values %{ $crm->xero };
fails_for({}, $id{'Row 02'});
$crm->rows('DELETE FROM crm.contacts WHERE id < 4');
$run = $crm->run('crm');
is($run->{state}, 'done', 'one that cannot be archived') or diag($run->{text});
is(join(' ', map { $_->{Name} } sort { $a->{Name} cmp $b->{Name} } grep { $_->{ContactStatus} eq 'ARCHIVED' } values %{ $crm->xero }), 'Row 01 Row 03', '... the others are');
is(bad(), 'validation 08007 [2] 1', '... it is an issue');
$sandbox->faults;
$crm->rows(q{SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues});
$crm->run('crm');
is($crm->xero->{ lc $id{'Row 02'} }{ContactStatus}, 'ARCHIVED', '... until it can be');

# Xero fails after it has stored all.
prepare();
$crm->local_has(rows_of(1, 50));
$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'PUT', status => 500, body => '{}', worked => 1, kept => 1 });
$run = $crm->run('crm');
is("$run->{state} " . calls($run), 'done GET 2, PUT 2', 'what was stored all the same is found');
is(names(), but(), '... once');
is_deeply([ $crm->differences ], [], '... and linked');
$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'POST', status => 500, body => '{}', worked => 1, kept => 1 });
$crm->rows(q{UPDATE crm.contacts SET account = 'A' || id});
$run = $crm->run('crm');
is("$run->{state} " . calls($run), 'done GET 2, POST 2', '... and so are changes');
is_deeply([ $crm->differences ], [], '... which are equal');
is(bad(), '', '... no issue');

# An outage: of all, and of writes alone
prepare();
$crm->local_has(rows_of(1, 50));
$sandbox->faults(map { { path => '/api.xro/2.0/Contacts', method => $_, status => 500, body => '{}', after => $_ eq 'GET' ? 1 : 0 } } qw(PUT GET));
$run = $crm->run('crm');
is($run->{state}, 'paused', 'nothing goes');
is($run->{calls_by}{PUT}, 2, '... one request, tried twice');
foreach my $status (500, 503)
{
	prepare();
	$crm->local_has(rows_of(1, 50));
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'PUT', status => $status, body => '{}' });
	foreach my $n (1 .. 3)
	{
		$run = $crm->run('crm');
		my $puts = $n == 1 ? 6 : 2;
		$puts .= '|' . ($puts + 1) if $status == 503;	# which is asked again for a while
		like("$run->{state} " . calls($run), qr/^paused GET ${\($n == 1 ? 3 : 2)}, PUT ($puts)$/, "no write goes ($status), run $n");
		like($run->{error}, qr/Xero fails to carry out what is written\nXero failed to carry out the request: HTTP status $status/, '... which the run says');
		is($crm->rows('SELECT problem FROM xero_fdw.syncs'), $run->{error}, '... and the sync');
		is(bad(), '', '... no row is at fault');
		is(waits(), 50, '... and all wait');
	}
	$sandbox->faults;
	$run = $crm->run('crm');
	is("$run->{state} " . calls($run), 'done GET 1, PUT 17', '... until Xero is back');
	is(names(), but(), '... when all are stored');
	is_deeply([ $crm->differences ], [], '... and equal');
}

# Xero does not answer for one record: what comes behind it goes on in the same run,
# and it is found in the next ones.
foreach my $case ([ 'PUT', { status => 302 }, 10, 'GET 1, PUT 3', 'GET 1, PUT 9', 'GET 1, PUT 8', 'GET 1, PUT 2' ],
	[ 'PUT', { status => 200, body => '{"Contacts": []}' }, 10, 'GET 1, PUT 3', 'GET 1, PUT 9', 'GET 1, PUT 8', 'GET 1, PUT 2' ],
	[ 'POST', { drop => 'before' }, 60, 'GET 1, POST 7', 'GET 1, POST 13', 'GET 1, POST 12', 'GET 1, POST 6' ])
{
	my ($method, $fault, $first, @expected) = @$case;
	prepare();
	$crm->local_has(rows_of(1, 60));
	$crm->run('crm') if $method eq 'POST';
	$crm->rows(q{UPDATE crm.contacts SET account = 'A' || id}) if $method eq 'POST';
	fails_for({ %$fault, method => $method }, $method eq 'PUT' ? 'Row 17' : '"A17"');
	foreach my $n (1 .. @expected)
	{
		$crm->rows("UPDATE crm.contacts SET account = 'B$n' WHERE name = 'Row 60'") if $n > 1 && $method eq 'POST';
		$crm->local_has({ name => 'Row ' . (60 + $n) }) if $n > 1 && $method eq 'PUT';
		$run = $crm->run('crm');
		is("$run->{state} " . calls($run), ($n < @expected ? 'paused ' : 'done ') . $expected[$n - 1], "no answer to a $method, run $n");
		is(scalar(keys %{ $crm->xero }), $first, '... what comes behind it is stored') if $n == 1;
		like($run->{error}, qr/outcome of a write to Xero is unknown|unexpected answer from Xero/, '... which the run says') if $n == 1;
		$sandbox->clock(400);
	}
	is(bad(), 'validation 08007 [17] 1', '... it is an issue');
	is_deeply([ map { s/^row (\d+) .*/$1/r } $crm->differences ], [ 17 ], '... and all others are equal');
	is(calls($crm->run('crm')), 'GET 1', '... it waits');
	is(waits(), 0, '... and nothing else does');
}

$crm->quit;
done_testing();
