# Who may do and see what; that secrets are nowhere but where they belong, and
# of no use without the key file.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroConsent;
use XeroSession;
use XeroTest;

my %options = XeroConsent::options();
my $key_file = $options{conf} =~ /'(.*)'/ ? $1 : die;
$options{conf} .= "\nlog_min_messages = debug5\nlog_error_verbosity = verbose\nlog_statement = none\nlog_parameter_max_length_on_error = -1";
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ], %options);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $query = 'SELECT count(account_id) > 0 FROM xero.accounts';
my ($result, $mark);
my $told = '';    # to clients, by messages

sub refused
{
	my ($who, $sql, $state, $text) = @_;
	$result = $who->try($sql);
	$told .= $result->{text};
	is($result->{state}, $state, "$sql: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "$sql: message") if defined $text;
	return;
}

# ---- the key file is made when it is first needed ----

ok(!-e $key_file, 'no key file yet');
XeroConsent::connect($session, 'xero');
is(-s $key_file, 32, 'a key');
is((stat $key_file)[2] & 07777, 0600, 'for the server alone');
is($session->rows($query), 't', 'connected');

# ---- roles ----

$session->rows(q{CREATE ROLE bob LOGIN; CREATE ROLE carol LOGIN; CREATE ROLE dave LOGIN; CREATE ROLE stats LOGIN; GRANT pg_read_all_stats TO stats;
	CREATE USER MAPPING FOR carol SERVER xero OPTIONS (client_secret 'sandbox-secret');
	GRANT USAGE ON FOREIGN SERVER xero TO bob, carol, stats; GRANT USAGE ON SCHEMA xero TO PUBLIC;
	GRANT SELECT ON ALL TABLES IN SCHEMA xero TO bob, carol, dave;
	CREATE SCHEMA evil; GRANT ALL ON SCHEMA evil TO bob; GRANT CREATE ON SCHEMA xero TO carol});
my ($bob, $carol, $dave, $stats) = map { XeroSession->new($node, user => $_) } qw(bob carol dave stats);

is($bob->rows($query), 't', 'everybody with SELECT uses the mapping for PUBLIC');
is($dave->rows($query), 't', 'also without USAGE, as with postgres_fdw');
foreach my $table (qw(token pending_authorization organisation))
{
	refused($bob, "SELECT * FROM xero_fdw.$table", '42501', qr/permission denied for table $table/);
	refused($bob, "DELETE FROM xero_fdw.$table", '42501');
}
refused($bob, "SELECT xero_fdw.$_", '42501', qr/must be owner of foreign server xero\n/) foreach "authorize_url('xero')", "disconnect('xero')", "complete_authorization('xero', 'http://localhost/?code=a&state=b')";
refused($dave, "SELECT xero_fdw.$_", '42501', qr/permission denied for foreign server xero/) foreach "authorize_url('xero')", "disconnect('xero')", "refresh_token('xero')", "complete_authorization('xero', 'http://localhost/?code=a&state=b')";
refused($bob, "SELECT xero_fdw.rotate_key('$key_file')", '42501');
is($bob->try("SELECT xero_fdw.refresh_token('xero')")->{state}, '00000', 'a refresh does no harm');
refused($carol, $query, '28000', qr/no consent is stored for server "xero"/);
XeroConsent::connect($carol, 'xero');
is($carol->rows($query), 't', 'a consent of her own');

# each sees what counts for oneself
is($_->[0]->rows('SELECT string_agg(user_name, \',\' ORDER BY user_name) FROM xero_fdw.connections'), $_->[2], "$_->[1] sees")
  foreach [ $session, 'postgres', 'carol,public' ], [ $stats, 'stats', 'carol,public' ], [ $carol, 'carol', 'carol,public' ], [ $bob, 'bob', 'public' ];
is($dave->rows('SELECT count(*) FROM xero_fdw.connections'), 0, 'dave sees nothing');

# whose token is it?
sub bearer
{
	my ($who, $sql, $name) = @_;
	my $since = $sandbox->mark;
	is($who->rows($sql), 't', "$name: rows");
	my ($call) = grep { $_->{path} =~ /Accounts/ } $sandbox->log($since);
	return $call->{headers}{Authorization} // $call->{headers}{authorization};
}
my $public = bearer($session, $query, 'postgres');
my $hers = bearer($carol, $query, 'carol');
isnt($hers, $public, 'carol has another token');
is(bearer($bob, $query, 'bob'), $public, 'bob has that of PUBLIC');
$carol->rows("CREATE VIEW xero.hers AS SELECT * FROM xero.accounts; GRANT SELECT ON xero.hers TO bob;
	CREATE FUNCTION xero.hers() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS '$query'");
is(bearer($bob, 'SELECT count(account_id) > 0 FROM xero.hers', 'view'), $hers, 'a view has its owner\'s');
is(bearer($bob, 'SELECT xero.hers()', 'function'), $hers, 'a function with security definer, too');
$session->rows('SET ROLE carol');
is(bearer($session, $query, 'SET ROLE'), $hers, 'SET ROLE');
$session->rows('RESET ROLE');
is(bearer($session, $query, 'RESET ROLE'), $public, 'RESET ROLE');

# nobody's operators are used with the tables' owner's rights
$bob->rows(q{CREATE FUNCTION evil.eq(oid, oid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught %'', current_user; END';
	CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = oid, RIGHTARG = oid);
	CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught %'', current_user; END'});
$carol->rows('SET search_path = evil, pg_catalog');
$session->rows('GRANT USAGE ON SCHEMA evil TO carol');
my $back = XeroConsent::browse(XeroConsent::begin($carol, 'xero'));
like($carol->rows(XeroConsent::complete('xero', $back)), qr/Demo Company/, 'the search path of others is not used');
is($carol->rows('SHOW search_path'), 'evil, pg_catalog', 'and left alone');
$carol->rows('RESET search_path');
is($carol->rows('SELECT current_user'), 'carol', 'so is the role');

# ---- what is sealed opens only in its place ----

sub forget_shared { $_->quit foreach $session, $bob, $carol, $dave, $stats; $node->restart; ($session, $bob, $carol, $dave, $stats) = map { XeroSession->new($node, user => $_) } qw(postgres bob carol dave stats); return; }
my $tampered = qr/stored token was changed, or belongs to another user mapping or database\nHINT:  In a copy of a database, leave it to the original\. To replace it, authorize the server again/;
$session->rows('CREATE TABLE saved AS SELECT * FROM xero_fdw.token');
foreach my $case (
	[ 'rows are swapped', 'UPDATE xero_fdw.token t SET refresh_token = s.refresh_token, access_token = s.access_token FROM saved s WHERE s.roleid <> t.roleid' ],
	[ 'columns are swapped', 'UPDATE xero_fdw.token SET refresh_token = access_token' ],
	[ 'a bit is changed', 'UPDATE xero_fdw.token SET refresh_token = set_bit(refresh_token, 400, 1 - get_bit(refresh_token, 400)), access_token = NULL' ])
{
	my ($name, $change) = @$case;
	$session->rows($change);
	forget_shared();
	$mark = $sandbox->mark;
	refused($session, $query, '28000', $tampered);
	is($sandbox->mark, $mark, "$name: nothing is sent");
	$session->rows('UPDATE xero_fdw.token t SET refresh_token = s.refresh_token, access_token = s.access_token FROM saved s WHERE s.roleid = t.roleid');
	is($session->rows($query), 't', "$name: put right");
}
$session->rows("UPDATE xero_fdw.token SET refresh_token = 'x', access_token = NULL");
forget_shared();
refused($session, $query, '28000', $tampered);
is($session->try("SELECT xero_fdw.disconnect('xero')")->{state}, '00000', 'what does not open can be forgotten');
$session->rows('DELETE FROM xero_fdw.token; INSERT INTO xero_fdw.token SELECT * FROM saved');

# a server that gets another name keeps its consents, and whoever takes the old one has none of them
$session->rows("BEGIN; ALTER SERVER xero RENAME TO other; ROLLBACK");
is($session->rows($query), 't', 'a name that is not changed after all');
$mark = $sandbox->mark;
$session->rows('ALTER SERVER xero RENAME TO other');
is($_->[0]->rows($query), 't', "another name: $_->[1]") foreach [ $session, 'public' ], [ $carol, 'her own' ];
is(scalar(grep { $_->{path} eq '/connect/token' } $sandbox->log($mark)), 0, 'another name: no token is asked for');
is($session->rows(q{SELECT string_agg(DISTINCT server, ' '), count(*) > 1 FROM xero_fdw.connections}), 'other|t', 'another name: connections');
$session->rows("SELECT xero_fdw.refresh_token('other')");
my $server_options = $session->rows(q{SELECT string_agg(format('%s %L', option_name, option_value), ', ') FROM pg_foreign_server, pg_options_to_table(srvoptions) WHERE srvname = 'other'});
$session->rows("CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw OPTIONS ($server_options); CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (client_secret 'sandbox-secret')");
refused($session, "SELECT xero_fdw.refresh_token('xero')", '28000', qr/no consent is stored for server "xero"/);
$session->rows("DELETE FROM xero_fdw.organisation WHERE server = 'xero'; UPDATE xero_fdw.token SET server = 'xero' WHERE roleid = 0");
refused($session, "SELECT xero_fdw.refresh_token('xero')", '28000', $tampered);
$session->rows("UPDATE xero_fdw.token SET server = 'other'; DROP SERVER xero CASCADE; ALTER SERVER other RENAME TO xero");
is($session->rows($query), 't', 'and back');

# ... even while the worker exchanges the tokens, in which case the new ones are stored
sub start_exchange
{
	my ($who, $sql) = @_;
	$sandbox->faults({ path => '/connect/token', delay_ms => 1500, times => 1 });
	$mark = $sandbox->mark;
	$who->start($sql);
	for (1 .. 20 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if grep { $_->{path} eq '/connect/token' } $sandbox->log($mark);
		sleep(0.05);
	}
	return;
}
start_exchange($bob, "SELECT xero_fdw.refresh_token('xero')");
$session->rows('ALTER SERVER xero RENAME TO other');
$result = $bob->wait;
is($result->{state}, '00000', 'another name in mid-exchange') or diag($result->{text});
is($session->rows("SELECT count(*) FROM xero_fdw.token WHERE server = 'other' AND roleid = 0 AND refreshed_at > now() - interval '1 minute' AND error IS NULL"), 1, '... the tokens are stored');
$session->rows('ALTER SERVER other RENAME TO xero');
is($session->rows($query), 't', '... and back');

# ... and a user mapping that is dropped then leaves nothing, either
$session->rows(q{CREATE ROLE erin LOGIN; GRANT USAGE ON FOREIGN SERVER xero TO erin; CREATE USER MAPPING FOR erin SERVER xero OPTIONS (client_secret 'sandbox-secret')});
my $erin = XeroSession->new($node, user => 'erin');
start_exchange($erin, XeroConsent::complete('xero', XeroConsent::browse(XeroConsent::begin($erin, 'xero'))));
$session->rows('DROP USER MAPPING FOR erin SERVER xero');
is($erin->wait->{state}, '42704', 'a user mapping that is dropped in mid-exchange');
is($session->rows("SELECT count(*) FROM xero_fdw.token FULL JOIN xero_fdw.organisation USING (roleid) WHERE roleid = 'erin'::regrole"), 0, '... leaves nothing');
$erin->quit;

$_->quit foreach $session, $bob, $carol, $dave, $stats;
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');
my $copy = XeroSession->new($node, dbname => 'copy');
refused($copy, $query, '28000', $tampered);
$copy->quit;
($session, $bob, $carol, $dave, $stats) = map { XeroSession->new($node, user => $_) } qw(postgres bob carol dave stats);
is($session->rows($query), 't', 'the original goes on');

# ---- the key file: exchanged, lost, exposed ----

my $new_file = XeroConsent::new_key_file();
$session->rows("ALTER SYSTEM SET xero_fdw.key_file = '$new_file'");
forget_shared();
refused($session, $query, '58P01', qr/key file does not exist\nDETAIL:  Stored secrets cannot be opened/);
$session->rows("UPDATE xero_fdw.token SET refresh_token = 'x' WHERE roleid = 'carol'::regrole");
refused($session, "SELECT xero_fdw.rotate_key('$key_file')", '28000', qr/stored token was changed.*\n.*CONTEXT:  user mapping for carol, server "xero"/s);
$session->rows("UPDATE xero_fdw.token AS t SET refresh_token = s.refresh_token FROM saved AS s WHERE t.roleid = 'carol'::regrole AND s.roleid = t.roleid");
is($session->rows("SELECT xero_fdw.rotate_key('$key_file')"), 4, 'four values are sealed anew');
is($session->rows("SELECT xero_fdw.rotate_key('$key_file')"), 0, 'no second time');
is($session->rows($query), 't', 'the new key opens them');
refused($session, "SELECT xero_fdw.rotate_key('/nowhere/key')", '58P01');
refused($session, "SELECT xero_fdw.rotate_key('key')", 'F0000', qr/HINT:  Set old_key_file to an absolute path/);
unlink $key_file or die;
forget_shared();
is($session->rows($query), 't', 'the old one is not needed');
chmod 0640, $new_file;
forget_shared();
refused($session, $query, 'F0000', qr/key file has group or world access/);
chmod 0600, $new_file;
is($session->rows($query), 't', 'as it should be');
unlink $new_file or die;
is($bob->rows($query), 't', 'what is in use stays in use');
refused($session, "SELECT xero_fdw.refresh_token('xero')", '58P01', qr/does not exist\nDETAIL:.*\nHINT:  Restore the file from a backup\. Without one, authorize/);
unlike($told, qr/\Q$new_file\E/, 'no worker tells where the key file is');
XeroConsent::connect($session, 'xero');
is($session->rows($query), 't', 'a new consent makes a new key');
forget_shared();
refused($carol, $query, '28000', qr/stored token is sealed with another key\nDETAIL:.*\nHINT:  Restore the key file/);
XeroConsent::connect($carol, 'xero');
is($carol->rows($query), 't', 'everybody consents anew');
$session->rows('ALTER SYSTEM SET xero_fdw.key_file = \'\'');
forget_shared();
refused($session, "SELECT xero_fdw.authorize_url('xero')", '55000', qr/no key file is configured\nDETAIL:.*\nHINT:  Set xero_fdw\.key_file/);
$session->rows('ALTER SYSTEM SET xero_fdw.key_file = \'/nonexistent/folder/key\'');
forget_shared();
refused($carol, "SELECT xero_fdw.authorize_url('xero')", '58P01', qr/could not access the directory of key file: No such file/);
unlike($told, qr/nonexistent/, 'an ordinary role does not see where the key file is');
refused($session, "SELECT xero_fdw.authorize_url('xero')", '58P01', qr{could not access the directory of key file "/nonexistent/folder/key": No such file});
$session->rows("SET ROLE carol");
refused($session, "SELECT xero_fdw.authorize_url('xero')", '58P01', qr/could not access the directory of key file: No such file/);
$session->rows("RESET ROLE; ALTER SYSTEM SET xero_fdw.key_file = '$new_file'");
forget_shared();

# ---- secrets are nowhere else ----

my $chatty = XeroSession->new($node, settings => '-c client_min_messages=debug5 -c debug_print_plan=on');
sub overhear { my ($sql) = @_; $result = $chatty->try($sql); $told .= "$result->{rows}\n$result->{text}\n"; return $result->{state}; }
is(overhear("SELECT xero_fdw.refresh_token('xero')"), '00000', 'overheard: a refresh');
$back = XeroConsent::browse(XeroConsent::begin($chatty, 'xero'));
is(overhear(XeroConsent::complete('xero', $back)), '00000', 'overheard: a consent');
is(overhear($query), '00000', 'overheard: a query');
is(overhear("EXPLAIN (ANALYZE, VERBOSE, BUFFERS, SETTINGS) $query"), '00000', 'overheard: EXPLAIN');
foreach my $fault ({ status => 400, body => '{"error": "invalid_client"}' }, { status => 500 }, { truncate => 100, worked => JSON::PP::true() }, { drop => 'after' }, { body => '{"access_token": 1}', worked => JSON::PP::true() })
{
	$sandbox->faults({ path => '/connect/token', %$fault });
	isnt(overhear("SELECT xero_fdw.refresh_token('xero')"), '00000', 'overheard: a failure');
}
foreach my $fault ({ status => 401 }, { status => 403 }, { status => 400, body => '{"Message": "no"}' }, { drop => 'after' })
{
	$sandbox->faults({ path => '/api.xro/2.0/Accounts', %$fault });
	isnt(overhear($query), '00000', 'overheard: a failure of a query');
}
like($told, qr/DEBUG:/, 'overheard: debugging messages');

# in the middle of an exchange
$sandbox->faults({ path => '/connect/token', delay_ms => 1500, times => 1 });
$chatty->start("SELECT xero_fdw.refresh_token('xero')");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker' AND wait_event_type = 'Extension'") or die;
my $meanwhile = join("\n", map { $session->rows("SELECT v::text FROM $_ AS v") } qw(pg_stat_activity xero_fdw.connections xero_fdw.requests xero_fdw.progress));
is($chatty->wait->{state}, '00000', 'overheard: a slow refresh');
$chatty->quit;

$session->rows("SELECT xero_fdw.refresh_token('xero')");
$sandbox->faults({ path => '/connect/token', status => 400, body => '{"error": "invalid_client"}', times => 1 });
refused($session, "SELECT xero_fdw.refresh_token('xero')", '28000');
$sandbox->faults({ path => '/api.xro/2.0/Accounts', status => 500, times => 5 });
refused($session, $query, 'HV00L');
$sandbox->faults;
$session->rows($query);

my %secrets = ('sandbox-secret' => 'client secret', unpack('H*', slurp_file($new_file)) => 'key');
foreach my $call ($sandbox->log)
{
	my $body = $call->{body} // '';
	$secrets{$2} = $1 while $body =~ /\b(refresh_token|code_verifier)=([^&]+)/g;
	my $bearer = $call->{headers}{Authorization} // $call->{headers}{authorization} // '';
	$secrets{$1} = 'access token' if $bearer =~ /^Bearer (.*)/ && $1 ne 'sandbox-token';
}
cmp_ok(scalar keys %secrets, '>', 15, 'secrets were sent');
my %kinds = map { $_ => 1 } values %secrets;
is(join(',', sort keys %kinds), 'access token,client secret,code_verifier,key,refresh_token', 'of each kind');

sub clean
{
	my ($name, $text, @exempt) = @_;
	my @found = grep { my $secret = $_; index($text, $secret) >= 0 && !grep { $secret eq $_ } @exempt } keys %secrets;
	cmp_ok(length $text, '>', 0, "$name: there is something");
	is(join(', ', map { $secrets{$_} } @found), '', "$name: no secret");
	return;
}
clean('messages', $told);
clean('views in the middle of an exchange', $meanwhile);
clean('server log', slurp_file($node->logfile));
my ($dump) = run_command([ 'pg_dump', '-U', 'postgres', $node->connstr('postgres') ]);
like($dump, qr/CREATE EXTENSION/, 'dump');
unlike($dump, qr/(?:COPY|INSERT INTO) xero_fdw\.(?!sync|audit_entry)/, 'dump: none of the tables');
clean('dump', $dump, 'sandbox-secret');

# every view there is, and the extension's tables; the superuser sees the options of mappings, as with any wrapper
my @relations = split /\n/, $session->rows("SELECT oid::regclass FROM pg_class WHERE relkind = 'v' OR relkind = 'r' AND relnamespace = 'xero_fdw'::regnamespace ORDER BY 1");
cmp_ok(scalar @relations, '>', 100, 'views');
my %shown;
foreach my $relation (@relations)
{
	foreach my $who ($session, $bob)
	{
		$result = $who->try("SELECT v::text FROM $relation AS v");
		$shown{$who} .= "$result->{rows}$result->{text}";
	}
}
clean('views, by the superuser', $shown{$session}, 'sandbox-secret');
clean('views, by anybody', $shown{$bob});
clean('explain', $session->rows("EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM xero.accounts"));
clean('connection of others', $bob->rows('SELECT string_agg(v::text, \' \') FROM pg_stat_activity AS v') . $bob->rows('SELECT string_agg(v::text, \' \') FROM pg_user_mappings AS v'));

$_->quit foreach $session, $bob, $carol, $dave, $stats;
done_testing();
