# Xero fails in the middle of a run: the run is paused and keeps what it has
# done, and the next one ends as if nothing had happened.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroJournals;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 5, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000, request_timeout => 1000 },
	conf => "xero_fdw.max_wait = '500ms'");
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
# Nothing but all of a journal's values tells which it is.
my $journals = XeroJournals->new($xero);
my $crm = $journals->crm;
my $path = '/api.xro/2.0/ManualJournals';

# A fault at the n-th call of a method: how the run ends, and that the next one
# puts all right, after so many seconds on Xero's clock.
sub suffers
{
	my ($case, $method, $nth, $fault, $state, $later) = @_;
	$journals->work($case);
	$sandbox->faults({ path => $path, method => $method, after => $nth - 1, times => 1, %$fault });
	my $run = $crm->run('journals');
	is($run->{state}, $state, "$case: $state") or diag($run->{text});
	if ($state eq 'paused')
	{
		is($run->{sqlstate_of_call}, '00000', "$case: which is no error");
		like($run->{text}, qr/WARNING:/, "$case: ... but a warning");
		isnt($run->{error} // '', '', "$case: ... and the run says why");
	}
	$sandbox->faults;
	$journals->later($later) if $later;
	sleep($fault->{retry_after} + 1) if $fault->{retry_after};
	is($crm->run('journals')->{state}, 'done', "$case: the next run") if $state ne 'done';
	# what a case leaves behind would only confuse the next
	$journals->is_done($case) or die "$case\n";
	return;
}

# What is tried again by itself
suffers('drop before', 'PUT', 1, { drop => 'before' }, 'done');
suffers('drop after', 'PUT', 2, { drop => 'after' }, 'done');
suffers('garbage', 'PUT', 2, { garbage => 1, worked => 1 }, 'done');
suffers('read dropped', 'GET', 1, { drop => 'before' }, 'done');

# What is not: nobody knows whether it was carried out
suffers('lost', 'PUT', 1, { drop => 'after', times => 9 }, 'paused');
suffers('lost, and late', 'PUT', 2, { drop => 'after', times => 9 }, 'paused', 400);
suffers('not sent', 'PUT', 1, { drop => 'before', times => 9 }, 'paused');
suffers('not sent, and late', 'PUT', 2, { drop => 'before', times => 9 }, 'paused', 400);
suffers('stored 500', 'PUT', 2, { status => 500, body => '{"Message": "x"}', worked => 1, kept => 1, times => 2 }, 'done');
suffers('edit lost', 'POST', 1, { drop => 'after', times => 9 }, 'paused');

# The budget is spent
suffers('minute limit', 'PUT', 2, { problem => 'minute', retry_after => 2 }, 'paused');
suffers('day limit', 'POST', 1, { problem => 'day', retry_after => 2 }, 'paused');
suffers('read limit', 'GET', 1, { problem => 'minute', retry_after => 2 }, 'paused');
suffers('down', 'GET', 1, { status => 503, body => 'x', times => 99 }, 'paused');

# One whom Xero refuses stops neither the run nor the others.
$crm->rows(q{INSERT INTO crm.journals (narration, day) SELECT 'refused ' || n, CASE WHEN n = 30 THEN date '1999-01-01' ELSE '2026-01-05' END FROM generate_series(1, 60) AS n});
$crm->rows(q{UPDATE crm.journals SET lines = '[]' WHERE narration = 'refused 40'});
my $run = $crm->run('journals');
is($run->{state}, 'done', 'a bad row does not stop the run') or diag($run->{text});
my @there = grep { $_->{Narration} =~ /^refused/ } $journals->at_xero;
my $bad = $crm->rows(q{SELECT string_agg(local_key::text, ' ') || count(*) FROM xero_fdw.sync_issues});
is(scalar(@there), 60 - ($bad =~ /(\d+)$/)[0], '... all others are stored');
is($crm->rows(q{SELECT kind, local_key = (SELECT jsonb_build_array(id) FROM crm.journals WHERE narration = 'refused 40'), message <> '', payload IS NOT NULL, attempts
	FROM xero_fdw.sync_issues WHERE message ~* 'lines'}), 'validation|t|t|t|1', '... and it is an issue');
$run = $crm->run('journals');
is_deeply($run->{calls_by}, { GET => 1 }, 'it is not sent again');
$crm->rows(q{UPDATE crm.journals SET lines = DEFAULT, day = DEFAULT WHERE narration LIKE 'refused %' AND xero_id IS NULL});
$run = $crm->run('journals');
is_deeply($run->{calls_by}, { GET => 1, PUT => 1 }, '... until it is changed');
is($crm->rows('SELECT count(*) FROM xero_fdw.sync_issues'), 0, '... and then it is no issue any more');
is(scalar(grep { $_->{Narration} =~ /^refused/ } $journals->at_xero), 60, '... all are stored');

$crm->quit;
done_testing();
