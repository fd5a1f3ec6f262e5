# Who wrote what: each write that reached Xero has exactly one row in the audit,
# whatever became of the transaction, the session, or the server; and a row that
# has no write at Xero has no status.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroConsent;
use XeroSession;
use XeroTest;

my %consent = XeroConsent::options();
my $xero = XeroTest->new(
	conf => "restart_after_crash = on\n$consent{conf}",
	sandbox => [ '--seed', 1, '--no-limits', '--contacts', 5, '--invoices', 5 ],
	server => { minute_limit => 1000000, day_limit => 1000000, batch_size => 50 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $contacts = '/api.xro/2.0/Contacts';
$xero->create_role('clerk', 'SELECT, INSERT, UPDATE, DELETE ON xero.contacts');
my ($root, $clerk);

sub connect_again
{
	$root = XeroSession->new($node);
	$clerk = XeroSession->new($node, user => 'clerk');
	$clerk->rows("SET application_name = 'books'");
	return;
}

# The worker stores the ends after a moment.
sub settle
{
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if $root->rows('SELECT waiting FROM xero_fdw.audit_status') eq '0';
		sleep(0.05);
	}
	die 'the audit is not stored';
}

sub until_true
{
	my ($test, $what) = @_;
	for (1 .. 20 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return pass($what) if $test->();
		sleep(0.05);
	}
	return fail($what);
}

sub audit
{
	my ($what, $where) = @_;
	settle();
	return $root->rows("SELECT $what FROM xero_fdw.audit AS a WHERE " . ($where // 'true'));
}

sub writes { my ($since) = @_; return grep { $_->{method} ne 'GET' && XeroSandbox::is_api_call($_) } $sandbox->log($since); }
sub worker { return $root->rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'xero_fdw audit worker'"); }

# The key of a request says which it is.
sub key_of
{
	my ($call) = @_;
	my ($name) = grep { lc eq 'idempotency-key' } keys %{ $call->{headers} };
	return "$call->{method} $call->{path} " . ($name ? $call->{headers}{$name} : '');
}

# The sandbox's log and the audit agree; some rows may have been lost.
sub agrees
{
	my ($name, $lost) = @_;
	my (%sent, %rows, %answered);
	$sent{ key_of($_) }++ foreach writes(0);
	foreach my $row (split /\n/, audit("method || ' ' || path || ' ' || coalesce(idempotency_key, '') || '|' || (status IS NOT NULL)", "event = 'write'"))
	{
		my ($key, $answered) = split /\|/, $row;
		$rows{$key}++;
		$answered{$key}++ if $answered eq 'true';
	}
	my @missing = grep { $sent{$_} > ($rows{$_} // 0) } keys %sent;
	is(scalar(@missing), $lost // 0, "$name: each write has its row") or diag(join "\n", @missing);
	is_deeply([ grep { ($answered{$_} // 0) > ($sent{$_} // 0) } keys %answered ], [], "$name: what was answered was sent, once");
	return;
}

connect_again();

# ---- what a row tells ----

my $mark = $sandbox->mark;
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Simple')");
is(scalar(writes($mark)), 1, 'one write');
my $id = $clerk->rows("SELECT contact_id FROM xero.contacts WHERE name = 'Simple'");
my $tenant = $clerk->rows("SELECT tenant_id FROM xero.contacts WHERE name = 'Simple'");
is(audit(q{event, role, session_role, application_name, pid, server, tenant_id, method, path, attempt, record_keys, status, coalesce(error, 'none'),
		length(idempotency_key), length(correlation_id) > 0, finished_at >= at, now() - at < interval '1 min'}),
	join('|', 'write', 'clerk', 'clerk', 'books', $clerk->pid, 'xero', $tenant, 'PUT', $contacts, 1, "{$id}", 200, 'none', 36, 't', 't', 't'), 'an INSERT');
$clerk->rows("UPDATE xero.contacts SET account_number = 'X1' WHERE contact_id = '$id'");
$clerk->rows("DELETE FROM xero.contacts WHERE contact_id = '$id'");
is(audit('string_agg(method || record_keys::text || status, \' \' ORDER BY at)', "path = '$contacts/$id' OR method = 'POST'"), "POST{$id}200 POST{$id}200", 'UPDATE and DELETE');
$clerk->rows('SELECT count(lower(name)) FROM xero.contacts');
is(audit('count(*)'), 3, 'a SELECT has none');
is($clerk->try("INSERT INTO xero.contacts (name) VALUES ('Same'), ('Same')")->{state}, '23505', 'a refusal');
is(audit('status, record_keys', 'at = (SELECT max(at) FROM xero_fdw.audit)') =~ s/\{.*\}/{}/r, '200|{}', '... is a row as well');

$root->rows("SET ROLE clerk; INSERT INTO xero.contacts (name) VALUES ('In their name'); RESET ROLE");
is(audit('role, session_role', 'at = (SELECT max(at) FROM xero_fdw.audit)'), 'clerk|postgres', 'who has logged in is told after SET ROLE, too');

# ---- what it outlives ----

$clerk->rows("BEGIN; INSERT INTO xero.contacts (name) VALUES ('Rolled back'); ROLLBACK");
$clerk->rows("BEGIN; INSERT INTO xero.contacts (name) VALUES ('Read only'); SET TRANSACTION READ ONLY; COMMIT");
$clerk->try("BEGIN; SAVEPOINT s; INSERT INTO xero.contacts (name) VALUES ('Savepoint'); ROLLBACK TO s; SELECT 1/0; ROLLBACK");
$clerk->try('ROLLBACK');
agrees('ROLLBACK');
is(audit('count(*)'), 8, '... three rows more');

my $n = audit('count(*)');
$sandbox->faults({ path => $contacts, method => 'PUT', times => 1, status => 503 });
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Twice')");
$sandbox->faults;
is(audit(q{string_agg(attempt || ' ' || status || coalesce(' ' || error, ''), ', ' ORDER BY at), count(DISTINCT idempotency_key)}, "at > (SELECT at FROM xero_fdw.audit_entry WHERE entry_id = $n)"),
	'1 503 unavailable, outcome unknown, 2 200|1', 'two attempts, two rows');
foreach (1, 2)
{
	$root->rows(q{SELECT * FROM xero_fdw._push('xero.contacts', 'insert', '[{"name": "Replayed"}]', 'my-key', now() - interval '1 s')});
}
is(audit('count(*), count(DISTINCT record_keys)', "idempotency_key = 'my-key'"), '2|1', 'a request that is repeated under its key');
agrees('repeats');

$clerk->rows("INSERT INTO xero.contacts (name) SELECT 'Bulk ' || n FROM generate_series(1, 500) AS n");
is(audit('(SELECT count(DISTINCT k) FROM unnest(a.record_keys) AS k)', 'cardinality(record_keys) > 1'), join("\n", (50) x 10), '500 records by ten requests: all keys are there');
agrees('a batch');

# ---- sessions that end in mid-call ----

sub ends
{
	my ($name, $how) = @_;
	my $session = XeroSession->new($node, user => 'clerk');
	my $mark = $sandbox->mark;
	$sandbox->faults({ path => $contacts, method => 'PUT', times => 1, delay_ms => 1000 });
	$session->start("INSERT INTO xero.contacts (name) VALUES ('$name')");
	until_true(sub { $root->rows("SELECT count(*) FROM xero_fdw.audit WHERE pid = " . $session->pid) eq '1' }, "$name: the row is there before the answer");
	sleep(0.3);
	$how->($session);
	isnt($session->wait->{state}, '00000', "$name: the statement fails");
	$sandbox->faults;
	until_true(sub { scalar(writes($mark)) == 1 }, "$name: Xero has it");
	return;
}
ends('cancelled', sub { $root->rows('SELECT pg_cancel_backend(' . $_[0]->pid . ')') });
is(audit('status, error, finished_at IS NOT NULL', 'at = (SELECT max(at) FROM xero_fdw.audit)'), '|abandoned, outcome unknown|t', '... it tells that nobody knows');
ends('terminated', sub { $root->rows('SELECT pg_terminate_backend(' . $_[0]->pid . ')') });
is(audit('status, error, finished_at IS NOT NULL', 'at = (SELECT max(at) FROM xero_fdw.audit)'), '|abandoned, outcome unknown|t', '... it tells that nobody knows');
ends('killed', sub { my ($session) = @_; $_->quit foreach $root, $clerk; $xero->crash($session->pid); connect_again(); });
is(audit('status, error, finished_at', 'at = (SELECT max(at) FROM xero_fdw.audit)'), '||', '... it says that it was about to be sent');
agrees('sessions that end');

# ---- a worker that ends ----

$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Before')");
settle();
kill 'STOP', worker();
$mark = $sandbox->mark;
$clerk->start("INSERT INTO xero.contacts (name) VALUES ('Waits')");
until_true(sub { $root->rows('SELECT waiting FROM xero_fdw.audit_status') eq '1' }, 'a write waits for the audit');
is($root->rows("SELECT waiting_for FROM xero_fdw.progress"), 'audit', '... and says so');
kill 'CONT', worker();
is($clerk->wait->{state}, '00000', '... until the worker comes to it');
my $holder = XeroSession->new($node);
$holder->rows('BEGIN; LOCK TABLE xero_fdw.audit_entry IN SHARE MODE');
$clerk->start("INSERT INTO xero.contacts (name) VALUES ('Terminated worker')");
until_true(sub { $root->rows("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'xero_fdw audit worker' AND wait_event_type = 'Lock'") eq '1' },
	'the worker is terminated in its transaction');
my $before = worker();
until_true(sub { worker() ne $before }, '... which it lets end for a moment only');
$holder->rows('COMMIT');
is($clerk->wait->{state}, '00000', '... and another one comes');
$id = $root->rows("SELECT record_keys[1] FROM xero_fdw.audit WHERE status = 200 ORDER BY at DESC LIMIT 1");
$holder->rows('BEGIN; LOCK TABLE xero_fdw.audit_entry IN SHARE MODE');
like($clerk->try("UPDATE xero.contacts SET first_name = 'Late' WHERE contact_id = '$id'")->{text}, qr/WARNING/, 'a write whose row comes late');
$before = worker();
$root->rows("SELECT pg_terminate_backend($before)");
until_true(sub { worker() ne $before }, '... and is left to another worker');
$holder->rows('COMMIT');
$holder->quit;
is(audit('status, record_keys', 'at = (SELECT max(at) FROM xero_fdw.audit)'), "200|{$id}", '... from another worker: it has the key that was known before');
is($root->rows('SELECT lost FROM xero_fdw.audit_status'), 0, '... so that nothing is lost');
agrees('terminated');

$mark = $sandbox->mark;
kill 'STOP', worker();
$clerk->start("INSERT INTO xero.contacts (name) VALUES ('Killed worker')");
until_true(sub { $root->rows('SELECT waiting FROM xero_fdw.audit_status') eq '1' }, 'a write waits for the audit');
my $pid = worker();
$root->quit;
$xero->crash($pid);
isnt($clerk->wait->{state}, '00000', 'the worker is killed: so are all');
$clerk->quit;
connect_again();
is(scalar(writes($mark)), 0, '... and nothing was sent');
agrees('killed');

# a wait for the audit can be cancelled
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Again')");
settle();
kill 'STOP', worker();
$clerk->start("INSERT INTO xero.contacts (name) VALUES ('Not sent')");
until_true(sub { $root->rows('SELECT waiting FROM xero_fdw.audit_status') eq '1' }, 'a write waits for the audit');
$root->rows('SELECT pg_cancel_backend(' . $clerk->pid . ')');
is($clerk->wait->{state}, '57014', '... and is cancelled');
kill 'CONT', worker();
is(audit('status, error', 'at = (SELECT max(at) FROM xero_fdw.audit)'), '|not sent', '... before it was sent');
agrees('cancelled');

# what waits for nobody is stored before the server stops
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Before a restart')");
$node->stop;
$_->quit foreach $root, $clerk;
$node->start;
connect_again();
is(audit('status, finished_at IS NOT NULL', 'at = (SELECT max(at) FROM xero_fdw.audit)'), '200|t', 'a server that is stopped knows how the last write ended');
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('After a restart')");
agrees('restart');

# ---- no room ----

$root->rows("ALTER SERVER xero OPTIONS (SET batch_size '1')");
settle();
kill 'STOP', worker();
my $full = -s $node->logfile;
my $result = $clerk->try("INSERT INTO xero.contacts (name) SELECT 'Much ' || n FROM generate_series(1, 150) AS n");
is($result->{state}, '00000', 'a worker that does nothing does not keep anybody from writing');
is(scalar(() = $result->{text} =~ /WARNING:  01000: a write to Xero could not be recorded in xero_fdw\.audit in time\nDETAIL:  The server's log has it\.\nHINT/g), 1, '... who is warned, once');
is($root->rows('SELECT waiting, lost, last_lost_at IS NOT NULL FROM xero_fdw.audit_status'), '128|22|t', '... as much waits as there is room for') or diag($result->{text});
my $log = slurp_file($node->logfile, $full);
is(scalar(() = $log =~ /LOG:  xero_fdw audit: write begins at="[^"]+" role="clerk" session_role="clerk" application="books" pid=\d+ server="xero" tenant="$tenant" method="PUT" path="$contacts" attempt=1 idempotency_key="[-0-9a-f]{36}"\n/g), 150, '... and the log has all of it');
is(scalar(() = $log =~ /LOG:  xero_fdw audit: write ended at="[^"]+" role="clerk".* status=200 elapsed_ms=\d+ correlation_id="[^"]+" keys="[-0-9a-f]{36}"\n/g), 150, '... with the ends');
kill 'CONT', worker();
agrees('no room', 22);
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Room again')");
agrees('room again', 22);
is($root->rows('SELECT waiting, lost FROM xero_fdw.audit_status'), '0|22', 'what was lost is still counted');

# what the worker cannot store
$root->rows(q{ALTER TABLE xero_fdw.audit_entry ADD CONSTRAINT nothing CHECK (role <> 'clerk') NOT VALID});
my $offset = -s $node->logfile;
$result = $clerk->try("INSERT INTO xero.contacts (name) VALUES ('Not stored')");
is($result->{state}, '00000', 'an error of the worker keeps nobody from writing');
like($result->{text}, qr/WARNING:  01000: a write to Xero could not be recorded/, '... who is warned');
is(join(' ', slurp_file($node->logfile, $offset) =~ /xero_fdw audit: write (\w+) .*role="clerk"/g), 'begins ended', '... and the log has it');
$root->rows('ALTER TABLE xero_fdw.audit_entry DROP CONSTRAINT nothing');
is($root->rows('SELECT waiting, lost FROM xero_fdw.audit_status'), '0|23', '... and it is counted');
agrees('an error of the worker', 23);

# ---- who may change it, and who may read it ----

$root->rows(q{CREATE ROLE writer LOGIN; GRANT pg_write_all_data TO writer; CREATE ROLE reader LOGIN; GRANT pg_read_all_stats TO reader;
	CREATE ROLE owner LOGIN; ALTER DATABASE postgres OWNER TO owner; ALTER SERVER xero OWNER TO owner});
foreach my $role (qw(writer owner clerk))
{
	my $session = XeroSession->new($node, user => $role);
	$session->rows('SELECT xero_fdw.version()');    # the settings are there once the library is
	is($session->try($_)->{state}, '42501', "$role: $_") foreach
	  "INSERT INTO xero_fdw.audit_entry (at, event, role, session_role, pid, server, attempt, record_keys) VALUES (now(), 'write', 'clerk', 'clerk', 1, 'xero', 1, '{}')",
	  "UPDATE xero_fdw.audit_entry SET role = 'somebody'", 'DELETE FROM xero_fdw.audit_entry', 'TRUNCATE xero_fdw.audit_entry',
	  'ALTER TABLE xero_fdw.audit_entry DISABLE TRIGGER ALL', "UPDATE xero_fdw.audit SET role = 'somebody'",
	  'SET session_replication_role = replica', 'SET xero_fdw.log_writes = off', 'SELECT count(*) FROM xero_fdw.audit';
	is($session->try('SET xero_fdw.audit_history = 0')->{state}, '55P02', "$role: how long it is kept");
	$session->quit;
}
my $reader = XeroSession->new($node, user => 'reader');
ok($reader->rows('SELECT count(*) > 0 FROM xero_fdw.audit'), 'who may read all statistics may read it');
is($reader->rows('SELECT waiting FROM xero_fdw.audit_status'), 0, '... and whether it is complete');
is($reader->try('SELECT * FROM xero_fdw.audit_entry')->{state}, '42501', '... and nothing behind it');
$reader->quit;

# who owns the database decides on many settings of its sessions
$root->rows(q{ALTER DATABASE postgres SET role = 'owner'; ALTER DATABASE postgres SET default_transaction_read_only = on; ALTER DATABASE postgres SET statement_timeout = 1;
	ALTER DATABASE postgres SET search_path = owner; ALTER DATABASE postgres SET synchronous_commit = off});
settle();
$root->rows('SELECT pg_terminate_backend(' . worker() . ')');
until_true(sub { worker() eq '' }, 'a worker that has nothing to do is not replaced');
unlike($clerk->try("INSERT INTO xero.contacts (name) VALUES ('Settings')")->{text}, qr/WARNING|ERROR/, 'settings of the database do not keep the worker from its work');
$root->rows(q{ALTER DATABASE postgres RESET ALL});
agrees('settings', 23);

# ---- the log, and how long it is kept ----

$root->rows("ALTER ROLE clerk SET xero_fdw.log_writes = on");
$clerk->quit;
connect_again();
$offset = -s $node->logfile;
$clerk->rows(q{SET application_name = 'a"b\c'; INSERT INTO xero.contacts (name) VALUES ('Logged')});
$log = slurp_file($node->logfile, $offset);
like($log, qr/LOG:  xero_fdw audit: write ended at="[^"]+" role="clerk" session_role="clerk" application="a\\"b\\\\c" .* status=200 /, 'a line for each write, by a setting');
is(scalar(() = $log =~ /xero_fdw audit/g), 1, '... and no more');
$root->rows("INSERT INTO xero_fdw.audit_entry (at, event, role, session_role, pid, server, attempt, record_keys) SELECT now() - days * interval '1 day', 'disconnect', 'old', 'old', 1, 'xero', 1, '{}' FROM (VALUES (399), (401)) AS d (days)");
settle();
$root->rows('SELECT pg_terminate_backend(' . worker() . ')');
until_true(sub { worker() eq '' }, 'a worker that has nothing to do is not replaced');
$clerk->rows("INSERT INTO xero.contacts (name) VALUES ('Later')");
until_true(sub { $root->rows("SELECT count(*) FROM xero_fdw.audit WHERE role = 'old'") eq '1' }, 'what is older than 400 days is deleted');
agrees('at the end', 23);

# ---- consents ----

sub last_row { return $root->rows('SELECT max(entry_id) FROM xero_fdw.audit_entry'); }

$xero->create_server('books', $consent{server}, $consent{mapping});
$root->rows(q{GRANT USAGE ON FOREIGN SERVER books TO clerk; CREATE USER MAPPING FOR clerk SERVER books OPTIONS (client_secret 'sandbox-secret')});
$clerk->rows(q{SET application_name = 'books'});
my $who = 'clerk books';
sub told
{
	my ($name, $statement, $expected) = @_;
	my $last = last_row();
	my $result = $clerk->try($statement);
	settle();
	my $rows = $root->rows(qq{SELECT string_agg(concat_ws(' ', event, role, application_name, tenant_id, method, regexp_replace(path, '[-0-9a-f]{36}', '*'), coalesce(status::text, '-'), error,
		CASE WHEN finished_at IS NULL THEN 'unfinished' WHEN pid <> @{[$clerk->pid]} THEN 'whose?' END), ', ' ORDER BY entry_id) FROM xero_fdw.audit_entry WHERE entry_id > $last});
	is($rows, $expected, $name) or diag($result->{text});
	return;
}
my $back = XeroConsent::browse(XeroConsent::begin($clerk, 'books'));
told('a consent', 'BEGIN; ' . XeroConsent::complete('books', $back) . '; ROLLBACK', "consent $who POST /connect/token 200");
told('the same once more is none', XeroConsent::complete('books', $back), '');
$sandbox->faults({ path => '/connect/token', status => 400, body => '{"error": "invalid_client"}' });
told('one that Xero refuses', XeroConsent::complete('books', XeroConsent::browse(XeroConsent::begin($clerk, 'books'))),
	"consent $who POST /connect/token 400 Xero refused to complete the authorization of server \"books\"");
$sandbox->faults;
told('a refresh, in a read-only transaction', q{BEGIN READ ONLY; SELECT xero_fdw.refresh_token('books'); ROLLBACK}, "refresh $who POST /connect/token 200");
my $organisation = $clerk->rows(q{SELECT tenant_id FROM xero_fdw.connections WHERE server = 'books'});
told('the end of a connection', "BEGIN; SELECT xero_fdw.disconnect('books', '$organisation'); ROLLBACK",
	"refresh $who POST /connect/token 200, disconnect $who $organisation DELETE /connections/* 204");
$sandbox->faults({ path => '/connect/revocation', drop => 'after' });
told('the end of a consent, and no answer', q{SELECT xero_fdw.disconnect('books')}, "disconnect $who POST /connect/revocation - connection to Xero was lost for server \"books\"");
$sandbox->faults;
told('the end of a consent', q{BEGIN; SELECT xero_fdw.disconnect('books'); ROLLBACK}, "disconnect $who POST /connect/revocation 200");
told('of none', q{SELECT xero_fdw.disconnect('books')}, "disconnect $who - no consent is stored for server \"books\"");

# killed in mid-exchange
XeroConsent::connect($clerk, 'books');
my $last = last_row();
$mark = $sandbox->mark;
$sandbox->faults({ path => '/connect/token', delay_ms => 3000 });
$clerk->start("SELECT xero_fdw.refresh_token('books')");
until_true(sub { scalar(grep { $_->{path} eq '/connect/token' } $sandbox->log($mark)) }, 'an exchange is under way');
$pid = $root->rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker'");
$root->quit;
$xero->crash($pid);
$clerk->wait;
$clerk->quit;
$sandbox->faults;
connect_again();
is($root->rows("SELECT event, role, status, error, finished_at FROM xero_fdw.audit_entry WHERE entry_id > $last"), 'refresh|clerk|||', '... and its worker is killed: there is a row');

# nor does a table that is locked keep anybody from a new token
my $locker = XeroSession->new($node);
$locker->rows('BEGIN; LOCK TABLE xero_fdw.audit_entry IN SHARE MODE');
$offset = -s $node->logfile;
$clerk->rows("SET statement_timeout = '30s'");
is($clerk->try("SELECT xero_fdw.refresh_token('books')")->{state}, '00000', 'a refresh that cannot be recorded');
$clerk->rows('RESET statement_timeout');
$locker->quit;
is(join(' ', slurp_file($node->logfile, $offset) =~ /xero_fdw audit: refresh (\w+) .*role="clerk"/g), 'begins ended', '... is in the log');
is($root->rows('SELECT lost FROM xero_fdw.audit_status'), 1, '... and counted');

# ---- a dump has it ----

# a role whose name is none in the encoding of this database
$root->rows(q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'; GRANT USAGE ON SCHEMA xero TO PUBLIC; GRANT INSERT ON xero.contacts TO PUBLIC});
$node->safe_psql('latin', q{DO $$ BEGIN EXECUTE format('CREATE ROLE %I', convert_from('\x72e97365', 'LATIN1')); END $$});
$root->rows(q{DO $$ BEGIN EXECUTE format('SET ROLE %I', (SELECT rolname FROM pg_roles WHERE rolname::text::bytea = '\x72e97365')); INSERT INTO xero.contacts (name) VALUES ('From far away'); END $$; RESET ROLE});
is(audit('role, status', 'at = (SELECT max(at) FROM xero_fdw.audit)'), 'r?se|200', 'the name of a role in another encoding');

my ($dump, $error) = ('', '');
IPC::Run::run([ 'pg_dump', '-d', $node->connstr('postgres'), '-U', 'owner', '-t', 'xero_fdw.audit_entry', '--data-only' ], '>', \$dump, '2>', \$error);
like($dump, qr/^COPY xero_fdw\.audit_entry .*\n(.+\n)*.*\twrite\tclerk\tclerk\tbooks\t/m, 'the owner of the database dumps it') or diag($error);

my $folder = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->run_log([ 'pg_dump', '-f', "$folder/dump", $node->connstr('postgres') ]);
$node->run_log([ 'psql', '-Xq', '-f', "$folder/dump", $node->connstr('restored') ]);
my $restored = XeroSession->new($node, dbname => 'restored');
is($restored->rows("SELECT count(*), count(DISTINCT record_keys) FROM xero_fdw.audit"), $root->rows("SELECT count(*), count(DISTINCT record_keys) FROM xero_fdw.audit"), 'and it is restored');
$restored->rows("INSERT INTO xero.contacts (name) VALUES ('From the copy')");
until_true(sub { $restored->rows("SELECT count(*) FROM xero_fdw.audit_entry WHERE entry_id > $last + 1 AND status = 200") eq '1' }, '... where it goes on');
$restored->quit;
until_true(sub { $root->try('CREATE DATABASE another TEMPLATE restored')->{state} eq '00000' }, 'the worker does not keep a database from being copied');

# what waits in one database leaves room for others, and goes with it
foreach my $name (qw(restored another))
{
	my ($holder, $other) = map { XeroSession->new($node, dbname => $name) } 1, 2;
	$holder->rows('BEGIN; LOCK TABLE xero_fdw.audit_entry');
	$other->rows("INSERT INTO xero.contacts (name) SELECT '$name ' || n FROM generate_series(1, 150) AS n");
	is($other->rows('SELECT waiting, lost FROM xero_fdw.audit_status'), '128|22', "$name: nothing is stored");
	unlike($clerk->try("INSERT INTO xero.contacts (name) VALUES ('Beside $name')")->{text}, qr/WARNING|ERROR/, "$name: others are not lost for that");
	$root->rows("DROP DATABASE $name WITH (FORCE)");
	$_->lose foreach $holder, $other;
}
unlike($clerk->try("INSERT INTO xero.contacts (name) VALUES ('Beside none')")->{text}, qr/WARNING|ERROR/, 'what has waited in databases that were dropped takes no room');

$root->quit;
$clerk->quit;
done_testing();
