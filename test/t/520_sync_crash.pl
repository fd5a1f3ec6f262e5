# The server is killed at each step of a run; the next run ends as if nothing
# had happened.
#
# Triggers on all that a run writes count its steps, and hold it at the one
# asked for.  So do delays of the sandbox, for what happens between two
# statements; the request is then carried out all the same, or not.
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
	server => { minute_limit => 1000000, day_limit => 1000000 },
	conf => 'restart_after_crash = on');
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $journals = XeroJournals->new($xero, match_on => ['narration']);
my $crm = $journals->crm;

my @TABLES = ('crm.journals', map { "xero_fdw.$_" } qw(sync_run sync_position sync_inbox sync_change sync_link sync_intent));
$crm->superuser->rows(q{
	CREATE SCHEMA stops;
	CREATE SEQUENCE stops.step;
	GRANT USAGE ON SCHEMA stops TO books;
	GRANT ALL ON SEQUENCE stops.step TO books;
	CREATE FUNCTION stops.stop() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF nextval('stops.step') = current_setting('stops.at')::bigint THEN
			PERFORM set_config('application_name', format('stopped at %s of %s %s', TG_OP, TG_TABLE_NAME, TG_WHEN), false);
			PERFORM pg_sleep(100);
		END IF;
		RETURN NULL;
	END $$;
	ALTER DATABASE postgres SET stops.at = 0;
});
foreach my $table (@TABLES)
{
	$crm->superuser->rows("CREATE TRIGGER stop_before BEFORE INSERT OR UPDATE OR DELETE ON $table EXECUTE FUNCTION stops.stop();
		CREATE TRIGGER stop_after AFTER INSERT OR UPDATE OR DELETE ON $table EXECUTE FUNCTION stops.stop()");
}
# When all is done that a transaction does
$crm->superuser->rows('CREATE CONSTRAINT TRIGGER stop_at_end AFTER INSERT OR UPDATE ON xero_fdw.sync_run
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stops.stop()');
$crm->reconnect;

# How many steps there are
$journals->work('counted');
$crm->rows(q{SELECT setval('stops.step', 1, false)});
is($crm->run('journals')->{state}, 'done', 'a run that is not stopped');
my $steps = $crm->rows('SELECT last_value FROM stops.step');
cmp_ok($steps, '>', 20, "... has $steps steps");
$journals->is_done('counted');

# The run is under way; kill it when it has come to where it was asked to stop.
sub kill_at
{
	my ($where) = @_;
	my $pid = $crm->session->pid;
	$node->poll_query_until('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND ($where)", '1')
	  or die "the run did not come to $where";
	my $place = $node->safe_psql('postgres', "SELECT application_name FROM pg_stat_activity WHERE pid = $pid");
	$xero->crash($pid);
	$crm->session->wait;
	return $place;
}

# After the crash: once more, and all is well.
sub goes_on
{
	my ($case, $later) = @_;
	$crm->reconnect;
	$sandbox->faults;
	$journals->later($later) if $later;
	my $run = $crm->run('journals');
	is($run->{state}, 'done', "$case: the next run") or diag($run->{text});
	is($crm->rows(q{SELECT count(*) FROM xero_fdw.sync_runs WHERE state = 'running'}), 0, "$case: no run is under way");
	# what a case leaves behind would only confuse the next
	$journals->is_done($case) or die "$case\n";
	return;
}

my $STOPS = 9;
foreach my $n (1 .. $STOPS)
{
	my $at = int($n * $steps / ($STOPS + 1)) + int(rand($steps / ($STOPS + 1)));
	my $case = "step $at";
	$journals->work($case);
	$crm->rows("SELECT setval('stops.step', 1, false); SET stops.at = $at");
	$crm->session->start(q{CALL xero_fdw.run_sync('journals')});
	my $place = kill_at(q{wait_event = 'PgSleep'});
	note("$case: $place");
	goes_on($case, $n % 3 == 0 ? 400 : 0);
	is($crm->rows(q{SELECT count(*) FROM xero_fdw.sync_runs WHERE state = 'crashed'}), $n, "$case: the run that crashed is known");
}

# While a request is under way: it is carried out when the run is gone, or never.
sub during
{
	my ($method, $nth, $fault, $later) = @_;
	my $case = "$method $nth " . join(' ', %$fault) . " $later";
	$journals->work($case);
	$sandbox->faults({ path => '/api.xro/2.0/ManualJournals', method => $method, after => $nth - 1, times => 1, delay_ms => 700, %$fault });
	my $mark = $sandbox->mark;
	$crm->session->start(q{CALL xero_fdw.run_sync('journals')});
	for (1 .. 200)
	{
		last if (grep { /^$method / } $sandbox->calls($mark)) >= $nth;
		sleep(0.05);
	}
	kill_at('true');
	sleep(0.8);
	goes_on($case, $later);
	return;
}

during('GET', 1, {}, 0);
during('PUT', 1, {}, 0);
during('PUT', 2, {}, 400);
during('PUT', 1, { drop => 'before' }, 0);
during('PUT', 2, { drop => 'before' }, 400);
during('POST', 1, {}, 0);
during('POST', 2, { drop => 'before' }, 400);

# The first run, in which both sides have people that the other does not know.
my $people = XeroSync->new($xero);
$people->superuser->rows('CREATE TRIGGER stop_after AFTER INSERT OR UPDATE OR DELETE ON crm.contacts EXECUTE FUNCTION stops.stop()');

sub first_merge
{
	my ($at) = @_;
	$people->clear;
	$people->xero_has(map { { Name => "Person $_", $_ % 2 ? (EmailAddress => "x$_\@example.com") : () } } 1 .. 120);
	$people->local_has(map { { name => "person $_", $_ % 2 ? (account => "A$_") : (email => "l$_\@example.com") } } 61 .. 180);
	$people->create('people', match_on => ['name'], conflict => 'xero');
	$people->rows("SELECT setval('stops.step', 1, false); SET stops.at = $at");
	$people->session->start(q{CALL xero_fdw.run_sync('people')});
	return;
}

sub is_merged
{
	my ($case) = @_;
	is_deeply([ $people->differences ], [], "$case: both sides are equal");
	is_deeply([ $people->doubles ], [], "$case: nobody is there twice");
	is(scalar(keys %{ $people->xero }), 180, "$case: everybody is there");
	is($people->rows('SELECT count(*) FROM crm.contacts WHERE email <> \'\''), 120, "$case: with what either side knew");
	return;
}

$crm->rows(q{SELECT xero_fdw.drop_sync('journals')});
first_merge(0);
is($people->session->wait->{state}, '00000', 'a first run that is not stopped');
is_merged('first run');
$steps = $people->rows('SELECT last_value FROM stops.step');
cmp_ok($steps, '>', 20, "... has $steps steps");
foreach my $n (1 .. 4)
{
	my $at = int($n * $steps / 5) + int(rand($steps / 5));
	first_merge($at);
	my $pid = $people->session->pid;
	$node->poll_query_until('postgres', "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid") or die 'no stop';
	note("first run, step $at: " . $node->safe_psql('postgres', "SELECT application_name FROM pg_stat_activity WHERE pid = $pid"));
	$xero->crash($pid);
	$people->session->wait;
	$people->reconnect;
	is($people->run('people')->{state}, 'done', "first run, step $at: the next run");
	is_merged("first run, step $at");
}

$_->quit foreach ($crm, $people);
done_testing();
