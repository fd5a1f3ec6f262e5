# However a run ends, its lock is free and its state is right: whatever the
# defaults of the session, wherever it is cancelled, whatever fails at a COMMIT,
# from wherever it is called.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroSession;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 },
	conf => 'restart_after_crash = on');
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $crm = XeroSync->new($xero);
my $other = XeroSession->new($node);

my $LOCKS = q{SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'xero_fdw.sync'::regclass};
# Not what the views make of it
my $RUNNING = q{SELECT count(*) FROM xero_fdw.sync_run WHERE state = 'running'};

# What others see after a run.
sub left { return $other->rows("SELECT ($LOCKS) || ' locks, ' || ($RUNNING) || ' running'"); }

sub nothing_left
{
	my ($case) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(left(), '0 locks, 0 running', "$case: nothing is left");
	return;
}

# A run that is done, and leaves nothing.
sub runs
{
	my ($case, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $run = $crm->run($name // 'crm');
	is($run->{state}, 'done', "$case: the run is done") or diag($run->{text});
	nothing_left($case);
	return $run;
}

# A statement that is an error, by its SQLSTATE and what its text is like.
sub refused
{
	my ($case, $sql, $state, $like) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = $crm->session->try($sql);
	is($result->{state}, $state, "$case: an error") or diag($result->{text});
	like($result->{text}, $like, "$case: ... that says why");
	$crm->session->try('ROLLBACK');
	nothing_left($case);
	return;
}

# One more foreign table of contacts
sub import_contacts
{
	my ($schema, $server) = @_;
	$crm->superuser->rows("CREATE SCHEMA $schema; IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER $server INTO $schema;
		GRANT USAGE ON SCHEMA $schema TO books; GRANT SELECT, INSERT, UPDATE ON $schema.contacts TO books");
	return;
}

# A run that waits for Xero, in its phase "pull".
sub start_slow
{
	my ($ms, $call) = @_;
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'GET', delay_ms => $ms, times => 1 });
	$crm->session->start($call // q{CALL xero_fdw.run_sync('crm')});
	for (1 .. 500)
	{
		return if $other->rows(q{SELECT count(*) FROM xero_fdw.sync_runs WHERE state = 'running' AND phase = 'pull'});
		sleep(0.01);
	}
	die 'the run does not read';
}

$crm->xero_has(map { { Name => "Contact $_" } } 1 .. 20);
$crm->create('crm', match_on => ['name'], on_delete => 'archive');
runs('the first run');

# Defaults of the session
foreach my $level ('repeatable read', 'serializable')
{
	foreach my $of ('ROLE books', 'DATABASE postgres')
	{
		my $case = "$level of $of";
		$crm->superuser->rows("ALTER $of SET default_transaction_isolation = '$level'");
		$crm->reconnect;
		is($crm->rows('SHOW transaction_isolation'), $level, "$case: is the default");
		$crm->rows("UPDATE crm.contacts SET email = md5('$case') || '\@example.com' WHERE name = 'Contact 1'");
		runs($case);
		is_deeply([ $crm->differences ], [], "$case: both sides are equal");
		$crm->superuser->rows("ALTER $of RESET default_transaction_isolation");
	}
}
$crm->reconnect;
$crm->rows(q{CREATE TABLE crm.noted (n integer GENERATED ALWAYS AS IDENTITY, what text);
	CREATE PROCEDURE crm.runs_it() LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. 2 LOOP
			CALL xero_fdw.run_sync('crm');
			INSERT INTO crm.noted (what) VALUES (current_setting('transaction_isolation'));
		END LOOP;
	END $$;
	CREATE PROCEDURE crm.runs_each() LANGUAGE plpgsql AS $$
	DECLARE
		self record;
	BEGIN
		FOR self IN SELECT s.name FROM xero_fdw.syncs AS s, generate_series(1, 20) LOOP
			CALL xero_fdw.run_sync(self.name);
		END LOOP;
	END $$});
$crm->rows('SET default_transaction_isolation = serializable');
$crm->rows('CALL crm.runs_it()');
is($crm->rows(q{SELECT string_agg(what, ', ') FROM crm.noted}), 'serializable, serializable', 'a procedure that calls a run has its own isolation again');
$crm->rows('RESET default_transaction_isolation');
nothing_left('a procedure');
$crm->rows('CALL crm.runs_each()');
nothing_left('a loop over a cursor');

$crm->rows('SET default_transaction_read_only = on');
refused('default_transaction_read_only', q{CALL xero_fdw.run_sync('crm')}, '25006', qr/read-only transaction.*HINT:\s+Set default_transaction_read_only/s);
refused('default_transaction_read_only, all', 'CALL xero_fdw.run_syncs()', '25006', qr/syncs cannot run in a read-only transaction/);
$crm->rows('RESET default_transaction_read_only');
refused('a plan in a read-only transaction', q{BEGIN READ ONLY; SELECT * FROM xero_fdw.plan_sync('crm')}, '25006', qr/cannot plan a sync in a read-only transaction/);

# Places where it cannot commit
my $CALL = q{CALL xero_fdw.run_sync('crm')};
my $INSIDE = qr/syncs cannot run inside a transaction block or a function/;
$crm->rows(qq{CREATE FUNCTION crm.f() RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN $CALL; END \$\$;
	CREATE PROCEDURE crm.with_set() LANGUAGE plpgsql SET work_mem = '8MB' AS \$\$ BEGIN $CALL; END \$\$;
	CREATE PROCEDURE crm.as_definer() LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN $CALL; END \$\$;
	CREATE PROCEDURE crm.catching() LANGUAGE plpgsql AS \$\$ BEGIN $CALL; EXCEPTION WHEN division_by_zero THEN NULL; END \$\$});
refused('inside of BEGIN', "BEGIN; $CALL", '25001', $INSIDE);
refused('in a function', 'SELECT crm.f()', '25001', $INSIDE);
refused('in a procedure with SET', 'CALL crm.with_set()', '25001', $INSIDE);
refused('in a procedure with SECURITY DEFINER', 'CALL crm.as_definer()', '25001', $INSIDE);
refused('in a procedure with EXCEPTION', 'CALL crm.catching()', '25001', $INSIDE);
refused('in DO with EXCEPTION', "DO \$\$ BEGIN $CALL; EXCEPTION WHEN division_by_zero THEN NULL; END \$\$", '25001', $INSIDE);
is($crm->session->try("DO \$\$ BEGIN $CALL; $CALL; END \$\$")->{state}, '00000', 'in DO without EXCEPTION: it runs');
nothing_left('in DO without EXCEPTION');

# From a trigger of the local table, while the sync runs
$crm->rows(q{CREATE FUNCTION crm.does() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('crm.acts', true) <> '' THEN
			EXECUTE current_setting('crm.acts');
		END IF;
		RETURN NULL;
	EXCEPTION WHEN OTHERS THEN
		IF current_setting('crm.catches')::boolean THEN
			INSERT INTO crm.noted (what) VALUES (SQLSTATE || ' ' || SQLERRM);
			RETURN NULL;
		END IF;
		RAISE;
	END $$;
	CREATE TRIGGER does AFTER INSERT ON crm.contacts FOR EACH ROW EXECUTE FUNCTION crm.does()});
my $n = 0;
foreach my $try (
	[ q{SELECT xero_fdw.alter_sync('crm', conflict => 'xero')}, '55006 sync "crm" is running' ],
	[ q{SELECT xero_fdw.drop_sync('crm')}, '55006 sync "crm" is running' ],
	[ q{SELECT xero_fdw.plan_sync('crm')}, '55006 sync "crm" is running' ],
	[ q{SELECT xero_fdw.audit_sync('crm')}, '55006 sync "crm" is running' ],
	[ $CALL, '25001 syncs cannot run inside a transaction block or a function' ])
{
	my ($sql, $answer) = @$try;
	my ($word) = $sql =~ /(\w+_sync)/;
	foreach my $catch ('on', 'off')
	{
		$n++;
		$crm->rows('TRUNCATE crm.noted; SET crm.catches = ' . $catch . '; SET crm.acts = ' . XeroSync::quoted($sql));
		$crm->xero_has({ Name => "Trigger $n", UpdatedDateUTC => $crm->xero_time(0) });
		my $run = $crm->run('crm');
		nothing_left("$word in a trigger");
		$crm->rows(q{SET crm.acts = ''});
		if ($catch eq 'on')
		{
			is($run->{state}, 'done', "$word in a trigger that catches it: the run is done") or diag($run->{text});
			is($crm->rows('SELECT DISTINCT what FROM crm.noted'), $answer, "$word in a trigger: an error");
		}
		else
		{
			my ($code, $text) = $answer =~ /^(\w+) (.*)/;
			is_deeply([ @$run{qw(state sqlstate sqlstate_of_call)} ], [ 'failed', $code, $code ], "$word in a trigger: the run fails") or diag($run->{text});
			like($run->{error}, qr/^\Q$text\E/, "$word in a trigger: ... and says why");
			runs("after $word in a trigger");
		}
	}
}
is($crm->rows(q{SELECT conflict FROM xero_fdw.syncs}), 'newest', 'nothing of that was done');
$crm->rows('DROP TRIGGER does ON crm.contacts');

# A COMMIT that fails: a filter writes to a table whose trigger waits.  The step
# is undone, and taken again by the next run.
$crm->rows(q{CREATE TABLE crm.log (t text);
	CREATE FUNCTION crm.late() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF current_setting('crm.code', true) <> '' THEN
			RAISE EXCEPTION 'too late for %', NEW.t USING ERRCODE = current_setting('crm.code'), DETAIL = 'It is over.';
		END IF;
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON crm.log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crm.late();
	CREATE FUNCTION crm.logged(t text) RETURNS text LANGUAGE sql AS 'INSERT INTO crm.log VALUES (t) RETURNING log.t'});
$crm->rows(q{SELECT xero_fdw.drop_sync('crm')});
$crm->create('crm', match_on => ['name'], local_filter => q{crm.logged(coalesce(surname, '')) IS NOT NULL});
runs('a filter that writes');
foreach my $try ([ '23514', 'failed' ], [ '42501', 'failed' ], [ '57014', 'cancelled' ], [ '53400', 'paused' ])
{
	my ($code, $state) = @$try;
	$crm->rows("SET crm.code = '$code'; UPDATE crm.contacts SET surname = 's$code' WHERE name = 'Contact 3'");
	my $run = $crm->run('crm');
	is_deeply([ @$run{qw(state sqlstate error)} ], [ $state, $code, "too late for s$code\nIt is over." ], "COMMIT fails with $code: the run is $state")
	  or diag($run->{text});
	is($run->{sqlstate_of_call}, $state eq 'paused' ? '00000' : $code, '... as its CALL says');
	nothing_left("COMMIT fails with $code");
	$crm->rows(q{SET crm.code = ''});
	# interrupts must be let through as before
	is($crm->session->try(q{SET statement_timeout = 50; SELECT pg_sleep(10)})->{state}, '57014', '... the session can be cancelled');
	$crm->rows('RESET statement_timeout');
	runs("after COMMIT fails with $code");
	is((grep { $_->{Name} eq 'Contact 3' } values %{ $crm->xero })[0]{LastName}, scalar reverse("s$code"), '... and the value is at Xero');
}

# Not even the end of it can be noted
$crm->superuser->rows(q{CREATE FUNCTION crm.no_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no end'; END $$;
	CREATE TRIGGER no_end BEFORE UPDATE ON xero_fdw.sync_run FOR EACH ROW WHEN (NEW.state <> 'running') EXECUTE FUNCTION crm.no_end()});
my $run = $crm->run('crm');
is($run->{sqlstate_of_call}, 'P0001', 'an end that cannot be noted: an error');
is($run->{state}, 'crashed', '... the run is shown as crashed');
is($other->rows($LOCKS), 0, '... its lock is free');
is($crm->session->try(q{SET statement_timeout = 50; SELECT pg_sleep(10)})->{state}, '57014', '... the session can be cancelled');
$crm->rows('RESET statement_timeout');
$crm->superuser->rows('DROP TRIGGER no_end ON xero_fdw.sync_run');
runs('the next one');
is($other->rows(q{SELECT count(*) FROM xero_fdw.sync_run WHERE state = 'crashed'}), 1, '... has marked it');
$crm->rows(q{SELECT xero_fdw.drop_sync('crm')});

# A name that no message could hold
my $long = 'n' x 7900;
$crm->create($long, match_on => ['name']);
runs('a very long name', $long);
$crm->rows(q{SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs});

# The default of a key, and the functions of expressions, are found by the sync's
# search path, whoever runs it with which settings.
$crm->rows(q{SET search_path = crm, public;
	CREATE SEQUENCE crm.people_seq;
	CREATE FUNCTION crm.next_id() RETURNS text LANGUAGE sql AS $$ SELECT 'C-' || nextval('people_seq') $$;
	CREATE TABLE crm.people (id text PRIMARY KEY DEFAULT next_id(), xero_id uuid, name text, masked text)});
$crm->rows(q{SELECT xero_fdw.create_sync('people', 'xero.contacts', 'people', 'pull',
	'{"xero_id": "contact_id", "name": "name", "masked": {"xero": "name", "to_local": "regexp_replace(name, ''\\\\d+\\\\Z'', ''\\\\\\\\'')"}}',
	xero_filter => $$name ~ '^Contact \d+$'$$)});
$crm->rows('RESET search_path; SET standard_conforming_strings = off');
runs('standard_conforming_strings = off', 'people');
$crm->rows('RESET standard_conforming_strings');
is($crm->rows(q{SELECT count(*), min(id) ~ '^C-\d+$', count(DISTINCT id), min(masked) FROM crm.people}), '20|t|20|Contact \\', 'the key\'s default, and expressions with backslashes');
is($crm->rows(q{SELECT count(*) FROM xero_fdw.plan_sync('people') WHERE action <> 'total'}), 0, '... mean the same with it on');
$crm->rows(q{SELECT xero_fdw.drop_sync('people')});

# Another table: who was who there means nothing here.
$crm->rows(q{CREATE TABLE crm.customers (id bigserial PRIMARY KEY, contact_id uuid, name text);
	CREATE TABLE crm.suppliers (id bigserial PRIMARY KEY, contact_id uuid, name text);
	INSERT INTO crm.suppliers (name) VALUES ('Supplier One'), ('Contact 7');
	SELECT xero_fdw.create_sync('s', 'xero.contacts', 'crm.customers', 'both', '{"contact_id": "contact_id", "name": "name"}', match_on => '{name}')});
sub names { return join(',', sort map { $_->{Name} } values %{ $crm->xero }); }
runs('customers', 's');
my $names = names();
$crm->rows(q{SELECT xero_fdw.alter_sync('s', local_table => 'crm.suppliers')});
runs('suppliers', 's');
is(names(), join(',', sort(split(/,/, $names), 'Supplier One')), 'alter_sync to another table: nobody is renamed, one is new');
is($crm->rows(q{SELECT count(DISTINCT contact_id), count(*), bool_and(c.name = s.name) FROM crm.suppliers AS s JOIN xero.contacts AS c USING (contact_id)}),
	scalar(keys %{ $crm->xero }) . '|' . scalar(keys %{ $crm->xero }) . '|t', '... and all are here');
$crm->rows(q{SELECT xero_fdw.alter_sync('s', local_table => 'crm.customers')});
runs('back', 's');
is(names(), join(',', sort(split(/,/, $names), 'Supplier One')), '... and back again, with no doubles');

# Imported anew it is the same; of another server it is not.
my $links = q{SELECT count(*) FROM xero_fdw.sync_link WHERE state = 'linked'};
my $known = $crm->superuser->rows($links);
import_contacts('again', 'xero');
$crm->rows(q{SELECT xero_fdw.alter_sync('s', xero_table => 'again.contacts')});
is($crm->superuser->rows($links), $known, 'a table that is imported anew keeps the links');
$run = runs('imported anew', 's');
is_deeply([ grep { $_ ne 'GET' } keys %{ $run->{calls_by} } ], [], '... nothing is sent');
$xero->create_server('second', { minute_limit => 1000000, day_limit => 1000000 });
import_contacts('second', 'second');
$crm->rows(q{SELECT xero_fdw.alter_sync('s', xero_table => 'second.contacts')});
is($crm->superuser->rows($links), 0, 'a table of another server forgets them');
$run = runs('of another server', 's');
is_deeply([ grep { $_ ne 'GET' } keys %{ $run->{calls_by} } ], [], '... they match anew, and nothing is sent');
is($crm->superuser->rows($links), $known, '... as before');
$crm->rows(q{SELECT xero_fdw.drop_sync('s')});

# A request is answered, and the budget is spent before its duplicates are looked
# up: what is stored must not be sent as if it were new.
$crm->rows(q{TRUNCATE crm.contacts; SET xero_fdw.max_wait = '500ms'});
$crm->create('push', direction => 'push', match_on => ['name'], xero_filter => q{name <> 'Contact 1'});
runs('nothing to push', 'push');
$crm->local_has({ name => 'Contact 1' }, { name => 'Brand New' });
$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'GET', after => 1, times => 9, problem => 'minute', retry_after => 2 });
$run = $crm->run('push');
is($run->{state}, 'paused', 'a request without its lookups: the run is paused') or diag($run->{text});
is_deeply($run->{calls_by}, { GET => 2, PUT => 1 }, '... after the request');
is($crm->superuser->rows('SELECT count(idempotency_key) FROM xero_fdw.sync_intent'), 2, '... and what was sent is known');
nothing_left('a request without its lookups');
$sandbox->faults;
sleep(3);
runs('with the lookups', 'push');
is($crm->rows(q{SELECT count(*) FROM crm.contacts JOIN xero.contacts AS c ON c.contact_id = xero_id AND c.name IN ('Contact 1', 'Brand New')}), 2, '... and both know their contacts');
is_deeply([ grep { /at Xero/ } $crm->doubles ], [], '... of which there is one each');
$crm->rows(q{SELECT xero_fdw.drop_sync('push'); TRUNCATE crm.contacts; RESET xero_fdw.max_wait});

# Two at once
$crm->create('crm', match_on => ['name']);
runs('alone');
$crm->rows(q{CREATE TABLE crm.second (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, contact_id uuid, name text);
	SELECT xero_fdw.create_sync('second', 'xero.contacts', 'crm.second', 'pull', '{"contact_id": "contact_id", "name": "name"}')});
start_slow(2000);
my $twin = XeroSession->new($node, user => 'books');
my $second = $twin->try($CALL);
is($second->{state}, '55006', 'a second run: an error');
like($second->{text}, qr/sync "crm" is running already/, '... that says why');
is($other->rows(q{SELECT string_agg(state, ', ' ORDER BY run_id) FROM xero_fdw.sync_runs WHERE sync = 'crm' AND (state <> 'done')}), 'running, busy', '... and a row that says so');
is($other->rows(q{SELECT state FROM xero_fdw.syncs WHERE name = 'crm'}), 'running', '... while the sync is shown as running');
$second = $twin->try('CALL xero_fdw.run_syncs()');
like($second->{text}, qr/WARNING:.*sync "crm" is running already/, 'run_syncs() warns of it');
is($other->rows('SELECT count(*) > 20 FROM crm.second'), 't', '... and goes on to the next');
is($twin->try(q{SELECT xero_fdw.drop_sync('crm')})->{state}, '55006', 'it cannot be dropped');
is($crm->session->wait->{state}, '00000', 'the first run ends well');
nothing_left('two at once');
$twin->quit;

# Nobody waits for a run that waits for Xero.
start_slow(1500);
is($other->try(q{BEGIN; SET LOCAL lock_timeout = '500ms'; LOCK TABLE crm.contacts IN ACCESS EXCLUSIVE MODE; COMMIT})->{state}, '00000',
	'the local table is free while the run asks Xero');
is($crm->session->wait->{state}, '00000', '... which goes on');
nothing_left('beside a lock of the table');

# Whose table it is, is what is true now and not what an old snapshot shows.
$crm->rows('CREATE TABLE crm.handed (id integer PRIMARY KEY, name text)');
$crm->rows(q{SELECT xero_fdw.create_sync('handed', 'xero.contacts', 'crm.handed', 'push', '{"name": "name"}')});
$crm->rows('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($crm->rows('SELECT count(*) > 0 FROM pg_class'), 't', 'a snapshot from before');
$crm->superuser->rows('ALTER TABLE crm.handed OWNER TO CURRENT_USER; ALTER TABLE crm.handed ENABLE ROW LEVEL SECURITY');
is($crm->session->try(q{SELECT * FROM xero_fdw.plan_sync('handed')})->{state}, '42704', '... does not make it theirs who had it');
$crm->session->try('ROLLBACK');
$crm->superuser->rows('DROP TABLE crm.handed');
$crm->reconnect;

# The backend is gone
foreach my $how ('pg_terminate_backend', 'kill -9')
{
	my $pid = $crm->session->pid;
	start_slow(1000);
	is($other->rows(q{SELECT state FROM xero_fdw.syncs WHERE name = 'crm'}), 'running', "$how: it was running");
	if ($how eq 'kill -9')
	{
		$xero->crash($pid);
		$other->quit;
		$other = XeroSession->new($node);
	}
	else
	{
		$other->rows("SELECT pg_terminate_backend($pid, 10000)");
	}
	$crm->session->wait;
	is($other->rows(q{SELECT s.state, r.state FROM xero_fdw.syncs AS s, xero_fdw.sync_runs AS r WHERE s.name = 'crm' AND r.sync = 'crm' ORDER BY r.run_id DESC LIMIT 1}),
		'crashed|crashed', '... it is shown as crashed');
	$twin = XeroSession->new($node, user => 'books');
	$twin->rows(q{BEGIN; SELECT count(*) FROM xero_fdw.plan_sync('second')});
	$other->rows('BEGIN');
	is($other->rows(q{SELECT xero_fdw._try_lock(sync_id) FROM xero_fdw.sync WHERE name = 'crm'}), 't', '... nobody has its lock');
	is($other->rows(q{SELECT state FROM xero_fdw.syncs WHERE name = 'crm'}), 'crashed', '... and it is not taken for running by who locks it');
	$other->rows('COMMIT');
	$twin->quit;
	$sandbox->faults;
	$crm->reconnect;
	my $crashed = q{SELECT count(*) FROM xero_fdw.sync_run WHERE state = 'crashed'};
	my $before = $other->rows($crashed);
	runs("after $how");
	is($other->rows($crashed) - $before, 1, '... which has marked it');
}

# Cancelled at random moments
my %ends;
sub cancelled
{
	my ($case, $result) = @_;
	my $left = left();
	my $state = $other->rows(q{SELECT state FROM xero_fdw.sync_run ORDER BY run_id DESC LIMIT 1});
	my $good = $left eq '0 locks, 0 running' && $result->{state} =~ /^(00000|57014)$/ && $state =~ /^(done|cancelled)$/;
	fail("$case: $left, $state, $result->{text}") if !$good;
	$ends{$state}++;
	return $good;
}

$crm->rows(q{UPDATE crm.contacts SET email = 'e0@example.com' WHERE name IN ('Contact 4', 'Contact 5')});
my $length = 1000 * $crm->session->try($CALL)->{seconds};
note("a run takes $length ms");
my $good = 0;
foreach my $i (1 .. 100)
{
	my $ms = 3 + int(rand($i % 2 ? 58 : 1.2 * $length));
	$crm->rows("UPDATE crm.contacts SET email = 'e$i\@example.com' WHERE name IN ('Contact 4', 'Contact 5'); SET statement_timeout = $ms");
	$good += cancelled("timeout of $ms ms", $crm->session->try($CALL));
	# which may take longer than that itself
	1 while $crm->session->try('RESET statement_timeout')->{state} ne '00000';
	runs("after timeout $i") if $i % 10 == 0;
}
is($good, 100, '100 runs with a timeout: no lock, no run under way is left');
$good = 0;
foreach my $i (1 .. 30)
{
	$crm->rows("UPDATE crm.contacts SET email = 'c$i\@example.com' WHERE name IN ('Contact 4', 'Contact 5')");
	$crm->session->start($CALL);
	sleep(rand($length) / 1000);
	$other->rows('SELECT pg_cancel_backend(' . $crm->session->pid . ')');
	$good += cancelled("cancelled $i", $crm->session->wait);
	runs("after cancel $i") if $i % 10 == 0;
}
is($good, 30, '30 runs that are cancelled: no lock, no run under way is left');
note(join(', ', map { "$_: $ends{$_}" } sort keys %ends));
runs('after all that');
is_deeply([ $crm->differences ], [], '... both sides are equal');
is_deeply([ $crm->doubles ], [], '... and nobody is there twice');

# Memory: a run of many steps, which do nothing but look at it.
my $CONTEXTS = q{SELECT sum(total_bytes) FILTER (WHERE name = 'TopMemoryContext') AS top,
	sum(total_bytes) FILTER (WHERE name LIKE 'Xero sync%') AS run, sum(total_bytes) AS all_of_them FROM pg_backend_memory_contexts};
$crm->superuser->rows(qq{CREATE TABLE crm.memory AS $CONTEXTS WITH NO DATA; ALTER TABLE crm.memory ADD step bigint;
	CREATE OR REPLACE FUNCTION xero_fdw._step(INOUT state xero_fdw._run, OUT decisions xero_fdw._decision[]) LANGUAGE plpgsql AS \$\$
	BEGIN
		state.gathered := state.gathered + 1;
		IF state.gathered IN (1000, 20000) THEN
			INSERT INTO crm.memory SELECT c.*, state.gathered FROM ($CONTEXTS) AS c;
		END IF;
		IF state.gathered = 20000 THEN
			state.phase := 'done';
		END IF;
	END \$\$});
runs('20,000 steps');
is($crm->superuser->rows('SELECT count(*), max(run) - min(run), max(top) - min(top) FROM crm.memory'), '2|0|0', '... take no more memory than 1,000');
cmp_ok($crm->superuser->rows('SELECT max(all_of_them) - min(all_of_them) FROM crm.memory'), '<', 200000, '... nor does anything else')
  or diag($crm->superuser->rows('SELECT * FROM crm.memory'));

$crm->quit;
$other->quit;
done_testing();
