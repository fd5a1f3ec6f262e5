# What the owner of a server allows, nobody else exceeds: to write at all, calls
# of a statement, calls of a role in a day.  Settings, tables, mappings and roles
# of one's own lift none of it.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroSession;
use XeroTest;

my $key_file = XeroConsent::new_key_file();
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--minute-limit', 10_000, '--contacts', 50 ], server => { minute_limit => 10_000 }, import => undef,
	conf => "xero_fdw.max_tenants = 4\nxero_fdw.request_log_size = 20\nxero_fdw.key_file = '$key_file'");
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $root = XeroSession->new($node);
$root->rows(<<'SQL');
CREATE ROLE dave LOGIN;
CREATE ROLE erin LOGIN;
GRANT dave TO erin;
GRANT USAGE ON FOREIGN SERVER xero TO dave, erin;
CREATE SCHEMA dave AUTHORIZATION dave;
SQL
my $dave = XeroSession->new($node, user => 'dave');
my $mark;

# The statement fails so, and Xero hears nothing.
sub refused
{
	my ($session, $name, $sql, $state, $text) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$mark = $sandbox->mark;
	my $result = $session->try($sql);
	is($result->{state}, $state, $name) or diag("$result->{rows}\n$result->{text}");
	like($result->{text}, $text, '... and says why') if $text;
	is_deeply([ grep { !/^GET / } $sandbox->calls($mark) ], [], '... and writes nothing');
	return;
}

# ---- to read only ----

my $tables = "IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts, contact_contact_persons) FROM SERVER xero INTO dave;
	ALTER FOREIGN TABLE dave.contacts OPTIONS (ADD updatable 'true'); ALTER FOREIGN TABLE dave.contact_contact_persons OPTIONS (ADD updatable 'true');";
$dave->rows("$tables CREATE TABLE dave.local (id integer PRIMARY KEY, contact_id uuid, name text); INSERT INTO dave.local VALUES (1, NULL, 'Of the sync');
	PREPARE later AS INSERT INTO dave.contacts (name) VALUES (\$1)");
my %write = (
	INSERT => q{INSERT INTO dave.contacts (name) VALUES ('x')},
	UPDATE => q{UPDATE dave.contacts SET first_name = 'x'},
	DELETE => 'DELETE FROM dave.contacts',
	MERGE => q{MERGE INTO dave.contacts c USING dave.local l ON c.name = l.name WHEN NOT MATCHED THEN INSERT (name) VALUES (l.name)},
	EXPLAIN => q{EXPLAIN INSERT INTO dave.contacts (name) VALUES ('x')},
	'a line table' => q{DELETE FROM dave.contact_contact_persons WHERE contact_id = (SELECT contact_id FROM dave.contacts LIMIT 1)},
	'a plan that is kept' => q{EXECUTE later ('x')},
	'a partition' => q{CREATE TABLE dave.parts (name text) PARTITION BY LIST (name); CREATE FOREIGN TABLE dave.part PARTITION OF dave.parts DEFAULT SERVER xero OPTIONS (object 'accounting/Contacts', updatable 'true'); INSERT INTO dave.parts VALUES ('x')});
my $sync = q{SELECT xero_fdw.create_sync('mine', 'dave.contacts', 'dave.local', 'push', '{"contact_id": "contact_id", "name": "name"}')};
$dave->rows("SET plan_cache_mode = force_generic_plan");
is($dave->try(q{EXECUTE later ('Of dave')})->{state}, '00000', 'who may write, may');

foreach my $case (
	[ 'SERVER xero', qr/option "updatable" of server "xero" is false/ ],
	[ 'USER MAPPING FOR PUBLIC SERVER xero', qr/option "updatable" of the user mapping for server "xero" is false/ ])
{
	my ($place, $why) = @$case;
	$root->rows("ALTER $place OPTIONS (ADD updatable 'false')");
	foreach my $name (sort keys %write)
	{
		# of a partition it is PostgreSQL that says so
		refused($dave, "$place: $name", $write{$name}, $name eq 'MERGE' ? '0A000' : '55000',
			$name eq 'MERGE' ? undef : $name eq 'a partition' && $place =~ /^SERVER/ ? qr/does not allow inserts/ : $why);
		$dave->rows('DROP TABLE IF EXISTS dave.parts');
	}
	refused($dave, "$place: a sync", $sync, '0A000', qr/Foreign table dave\.contacts is read-only/);
	refused($root, "$place: COPY", q{COPY dave.contacts (name) FROM PROGRAM 'echo x'}, '55000', qr/does not allow inserts/);
	refused($root, "$place: a request of a sync", q{SELECT FROM xero_fdw._push('dave.contacts', 'insert', '[{"name": "x"}]', 'key')}, '55000', $why);
	refused($dave, "$place: to change it", "ALTER $place OPTIONS (SET updatable 'true')", '42501', qr/must be owner of foreign server xero/);
	is($dave->rows('SELECT count(lower(name)) > 5 FROM dave.contacts'), 't', '... while it is read');
	$root->rows("ALTER $place OPTIONS (DROP updatable)");
}

# Whose mapping it is counts, as for reading.
$root->rows(q{ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD updatable 'false');
	CREATE USER MAPPING FOR postgres SERVER xero OPTIONS (access_token 'sandbox-token');
	CREATE VIEW public.door AS SELECT contact_id, name FROM dave.contacts; GRANT SELECT, INSERT ON public.door TO dave;
	GRANT ALL ON dave.contacts TO postgres;
	CREATE VIEW dave.door AS SELECT contact_id, name FROM dave.contacts; ALTER VIEW dave.door OWNER TO dave});
is($root->try(q{INSERT INTO dave.contacts (name) VALUES ('Of root')})->{state}, '00000', 'a mapping that may write');
is($dave->try(q{INSERT INTO public.door (name) VALUES ('Of dave, by a view')})->{state}, '00000', '... also for those who use it by a view');
refused($root, 'a view of somebody who may not', q{INSERT INTO dave.door (name) VALUES ('x')}, '55000', qr/user mapping for server/);

# A consent asks for what can be used.
$root->rows('ALTER SERVER xero OPTIONS (ADD client_id \'sandbox-client\'); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP access_token, ADD client_secret \'sandbox-secret\');
	DROP USER MAPPING FOR postgres SERVER xero');
my $consent = q{SELECT xero_fdw.authorize_url('xero')};
like($root->rows($consent), qr/accounting\.contacts\.read(%20|&|$)/, 'a consent over a mapping that may not write is one to read');
unlike($root->rows($consent), qr/accounting\.contacts(%20|&|$)/, '... only');
$root->rows('ALTER SERVER xero OPTIONS (DROP client_id); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD access_token \'sandbox-token\', DROP client_secret, DROP updatable)');

# ---- the log of requests ----

# Whose calls it has.
sub logged { return $root->rows(q{SELECT string_agg(role || ' ' || calls, ', ' ORDER BY role) FROM (SELECT role, count(*) AS calls FROM xero_fdw.requests GROUP BY role) AS r}); }

# Calls, one after the other.
sub call
{
	my ($session, $calls) = @_;
	return $session->try("DO \$\$ BEGIN FOR i IN 1 .. $calls LOOP PERFORM count(lower(name)) FROM dave.contacts; END LOOP; END \$\$");
}

call($root, 1);
$root->rows('SELECT xero_fdw.reset_stats()');
call($root, 4);
call($dave, 45);
is(logged(), 'dave 16, postgres 4', 'a role fills what is free, and then replaces its own calls');
call($root, 15);
is(logged(), 'dave 10, postgres 10', '... others replace the oldest, up to half of the log');
my $last = $root->rows(q{SELECT max(at) FROM xero_fdw.requests WHERE role = 'postgres'});
call($dave, 45);
is(logged(), 'dave 10, postgres 10', '... and keep that');
is($root->rows(qq{SELECT count(*), max(at) = '$last' FROM xero_fdw.requests WHERE role = 'postgres'}), '10|t', '... their latest');
$root->rows(q{DO $$ BEGIN
	FOR i IN 1 .. 40 LOOP
		PERFORM set_config('role', (ARRAY['dave', 'erin', 'postgres'])[1 + i * 7 % 5 % 3], true);
		PERFORM count(lower(name)) FROM dave.contacts;
		RESET ROLE;
	END LOOP; END $$});
is($root->rows('SELECT count(*), count(DISTINCT role) FROM xero_fdw.requests'), '20|3', 'several roles share it');
is($root->rows('SELECT bool_and(at > before) FROM (SELECT at, lag(at) OVER () AS before FROM xero_fdw._requests()) AS r'), 't', '... in the order of time');

# ---- calls ----

$dave->rows(q{CREATE FOREIGN TABLE dave.paged (contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '10'); GRANT USAGE ON SCHEMA dave TO erin; GRANT SELECT ON dave.paged TO erin, postgres});
my $scan = 'SELECT count(lower(name)) >= 50 FROM dave.paged';
my $few = 'SELECT count(*) FROM (SELECT name FROM dave.paged LIMIT 5) AS five';
my $erin = XeroSession->new($node, user => 'erin');

# Change an option; dave's session asks for the organisations anew.
sub alter { my ($what, $options) = @_; $root->rows("ALTER $what OPTIONS ($options)"); $dave->try($few); return; }

# The statement fails so, after so many calls.
sub ends
{
	my ($session, $name, $calls, $text) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$mark = $sandbox->mark;
	my $result = $session->try($scan);
	is($result->{state}, '53400', $name) or diag("$result->{rows}\n$result->{text}");
	like($result->{text}, $text, '... and says why');
	is(scalar(grep { m{/Contacts} } $sandbox->calls($mark)), $calls, "... after $calls calls");
	return;
}

is($_->rows($scan), 't', 'without a limit') foreach $dave, $erin;
alter('SERVER xero', q{ADD max_calls '3'});
ends($dave, 'a limit of the server', 3, qr/statement needs more calls to Xero than option "max_calls" \(3\) of server "xero" allows\nDETAIL:.*\nHINT:  Narrow the query, or ask the owner/);
$dave->rows('SET xero_fdw.max_calls = 1000');
ends($dave, '... which a setting does not lift', 3, qr/of server "xero"/);
$dave->rows('SET xero_fdw.max_calls = 2');
ends($dave, '... but tighten', 0, qr/xero_fdw\.max_calls \(2\)/);
$dave->rows('RESET xero_fdw.max_calls');
is($dave->rows($few), 5, 'what needs fewer goes on');
alter('USER MAPPING FOR PUBLIC SERVER xero', q{ADD max_calls '1'});
ends($dave, 'a limit of the mapping', 1, qr/option "max_calls" \(1\) of the user mapping for server "xero"/);
alter('USER MAPPING FOR PUBLIC SERVER xero', q{SET max_calls '100'});
ends($dave, '... is none that lifts the server\'s', 3, qr/of server "xero"/);
$root->rows('ALTER SERVER xero OPTIONS (DROP max_calls); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP max_calls)');

# Of each role in a day: what would be its last call is not made twice.
$root->rows(q{ALTER SERVER xero OPTIONS (ADD role_day_limit '4')});
my $spent = qr/role "dave" has made as many calls over server "xero" as it may in a day\nDETAIL:  Option "role_day_limit" \(4\) of server "xero" is the limit of each role; its day ends at \d.*\nHINT:  Ask the owner of the server/;
ends($dave, 'a day of a role', 4, $spent);
ends($dave, '... is spent', 0, $spent);
$dave->rows(q{CREATE FOREIGN TABLE dave.other (name text) SERVER xero OPTIONS (object 'accounting/Accounts')});
refused($dave, '... for any table', 'SELECT count(lower(name)) FROM dave.other', '53400', $spent);
$dave->rows(q{CREATE USER MAPPING FOR dave SERVER xero OPTIONS (access_token 'sandbox-token', role_day_limit '1000')});
ends($dave, '... for any mapping', 0, $spent);
$dave->rows('DROP USER MAPPING FOR dave SERVER xero');
refused($dave, '... as long as the owner wants it', q{ALTER SERVER xero OPTIONS (SET role_day_limit '1000')}, '42501', qr/must be owner/);
my $new = XeroSession->new($node, user => 'dave');
ends($new, '... for any session', 0, $spent);
$new->quit;
$erin->rows('SET ROLE dave');
ends($erin, '... for whoever becomes that role', 0, $spent);
$erin->rows('RESET ROLE');
is($erin->rows($few), 5, 'another role has a day of its own');

# What was not sent is not counted, by a session that has no connection yet.
$erin->quit;
$erin = XeroSession->new($node, user => 'erin');
$sandbox->stop;
is($erin->try("SET xero_fdw.max_wait = 0; $few")->{state}, '08001', 'Xero cannot be reached');
$sandbox->start;
$erin->rows('RESET xero_fdw.max_wait');
ends($erin, 'calls that were not made are left', 3, qr/role "erin" has made/);

# Over a restart, if the library is preloaded.
if (($ENV{XERO_PRELOAD} // 'xero_fdw') ne '')
{
	$_->quit foreach $dave, $erin, $root;
	$node->restart;
	($dave, $erin, $root) = map { XeroSession->new($node, user => $_) } qw(dave erin postgres);
	ends($_, 'after a restart', 0, qr/as it may in a day/) foreach $dave, $erin;
}
$root->rows(q{ALTER SERVER xero OPTIONS (SET role_day_limit '11')});
is($dave->rows($scan), 't', 'the owner may raise it');
ends($dave, '... to what it is then', 2, qr/as it may in a day/);

# Sessions of one role together.
$root->rows(q{ALTER SERVER xero OPTIONS (SET role_day_limit '18')});
$mark = $sandbox->mark;
my @together = map { XeroSession->new($node, user => 'dave') } 1 .. 4;
$_->start($scan) foreach @together;
my %outcome;
$outcome{ $_->wait->{state} }++ foreach @together;
my $made = grep { m{/Contacts} } $sandbox->calls($mark);
ok($made > 0 && $made <= 7 && $outcome{53400}, 'several sessions have one day') or diag("$made calls, " . explain(\%outcome));
$_->quit foreach @together;

# Of those who use a mapping.
$root->rows(q{ALTER SERVER xero OPTIONS (SET role_day_limit '100'); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD role_day_limit '5'); CREATE USER MAPPING FOR postgres SERVER xero OPTIONS (access_token 'sandbox-token')});
ends($erin, 'over a mapping', 1, qr/Option "role_day_limit" \(5\) of the user mapping for server "xero"/);
is($root->rows($scan), 't', '... which others do not use');
$root->rows(q{ALTER SERVER xero OPTIONS (DROP role_day_limit); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP role_day_limit); DROP USER MAPPING FOR postgres SERVER xero});

# ---- tokens that sessions share ----

# A slot for each of four mappings, of which one role has two.
my $url = $sandbox->url;
my $app = "FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'sandbox-client', api_url '$url', identity_url '$url', login_url '$url')";
my $secret = q{OPTIONS (client_secret 'sandbox-secret')};
$root->rows("CREATE SERVER t$_ $app; ALTER SERVER t$_ OWNER TO dave; CREATE USER MAPPING FOR dave SERVER t$_ $secret") foreach 1 .. 6;
$root->rows("CREATE SERVER shared $app; CREATE USER MAPPING FOR PUBLIC SERVER shared $secret; GRANT USAGE ON FOREIGN SERVER shared TO dave, erin;
	CREATE SERVER mine $app; CREATE USER MAPPING FOR erin SERVER mine $secret; GRANT USAGE ON FOREIGN SERVER mine TO erin;
	CREATE SCHEMA shared; IMPORT FOREIGN SCHEMA accounting LIMIT TO (accounts) FROM SERVER shared INTO shared");
XeroConsent::connect($root, 'shared');

# Without the key only a token that is at hand can be used.
sub read_anew { my $session = XeroSession->new($node); my $result = $session->try('SELECT count(account_id) > 0 FROM shared.accounts'); $session->quit; return "$result->{state} $result->{rows}"; }
is(read_anew(), '00000 t', 'a token is got');
rename($key_file, "$key_file.away") or die $!;
is(read_anew(), '00000 t', '... and kept');
is($dave->try("SELECT xero_fdw.refresh_token('t$_')")->{state}, '28000', "a role needs tokens over t$_") foreach 1 .. 6;
is(read_anew(), '00000 t', '... and takes nobody else\'s place');
rename("$key_file.away", $key_file) or die $!;

# Workers that Xero keeps waiting keep no slot from others.
my @busy = map { XeroSession->new($node, user => 'dave') } 1 .. 4;
my @back = map { XeroConsent::browse(XeroConsent::begin($busy[ $_ - 1 ], "t$_")) } 1 .. 4;
$sandbox->faults({ path => '/connect/token', delay_ms => 4000 });
$busy[$_]->start(XeroConsent::complete('t' . ($_ + 1), $back[$_])) foreach 0 .. 3;
ok($node->poll_query_until('postgres', q{SELECT count(*) >= 2 FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker'}), 'a role has workers busy');
sleep 1;
is($erin->try(q{SELECT xero_fdw.refresh_token('mine')})->{state}, '28000', '... and others have theirs');
my %ended;
$ended{ $_->wait->{state} }++ foreach @busy;
is_deeply(\%ended, { '00000' => 2, '53000' => 2 }, '... while it has half of the room');
$sandbox->faults;

# An exchange that is not needed.
is($erin->try(q{SELECT xero_fdw.refresh_token('shared')})->{state}, '00000', 'a refresh by whoever may use the server') foreach 1 .. 5;
is($dave->try(q{SELECT xero_fdw.refresh_token('shared')})->{state}, '00000', '... by another') foreach 1 .. 5;
refused($dave, '... ten times', q{SELECT xero_fdw.refresh_token('shared')}, '53400', qr/access token of server "shared" is refreshed too often\nDETAIL:  That was asked for 10 times in 10 minutes; the next time may be at \d.*\nHINT:  Queries renew it/);
is($root->try(q{SELECT xero_fdw.refresh_token('shared')})->{state}, '00000', 'a superuser is not counted');
is(read_anew(), '00000 t', '... and queries go on');

$_->quit foreach $dave, $erin, $root, @busy;
done_testing();
