# Whose calls count for whom: client_id and tenant_id are what anybody may write
# into a server's options.  Only whoever Xero accepts has a part in the budget of
# others.
use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--tenants', 2, '--minute-limit', 10_000, '--concurrency', 100 ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my $root = $budget->watcher;
my @tenants = $budget->tenants;
my $mark;

$root->rows(<<'SQL');
CREATE ROLE alice LOGIN; CREATE ROLE mallory LOGIN;
CREATE FUNCTION call_often(query text, calls integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	outcomes jsonb = '{}';
	outcome text;
BEGIN
	FOR i IN 1 .. calls LOOP
		BEGIN
			EXECUTE query;
			outcome = '00000';
		EXCEPTION WHEN OTHERS THEN
			outcome = SQLSTATE;
		END;
		outcomes = jsonb_set(outcomes, ARRAY[outcome], to_jsonb(coalesce((outcomes ->> outcome)::int, 0) + 1));
	END LOOP;
	RETURN outcomes;
END $$;
SQL

# A server of mallory's: a superuser says where the sandbox is, and she the rest.
sub strangers_server
{
	my ($name, %option) = @_;
	$budget->server($name, %option, minute_limit => 1_000_000, concurrency => 100);
	$root->rows("DROP USER MAPPING FOR PUBLIC SERVER $name; ALTER SERVER $name OWNER TO mallory;
		CREATE USER MAPPING FOR mallory SERVER $name OPTIONS (access_token 'bogus');
		GRANT USAGE ON SCHEMA $name TO mallory; GRANT SELECT ON ALL TABLES IN SCHEMA $name TO mallory");
	return;
}

$budget->server('alices', client_id => 'app', tenant_id => $tenants[0]);
$root->rows('GRANT USAGE ON SCHEMA alices TO alice, mallory; GRANT SELECT ON ALL TABLES IN SCHEMA alices TO alice, mallory; GRANT USAGE ON FOREIGN SERVER alices TO mallory');
strangers_server('same', client_id => 'app', tenant_id => $tenants[0]);
strangers_server('beside', client_id => 'app', tenant_id => $tenants[1]);
my %session = map { $_ => XeroSession->new($node, user => $_, settings => '-c xero_fdw.max_wait=0') } 'alice', 'mallory';

sub query { return "SELECT count(account_id) > 0 FROM $_[0].accounts"; }

sub statuses
{
	my %count;
	$count{ $_->{status} }++ foreach grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
	return join(', ', map { "$_: $count{$_}" } sort keys %count);
}

# Who belongs there has the minute, and has spent her own calls only.
sub alice_can_call
{
	my ($name) = @_;
	my $calls = $root->rows(q{SELECT calls + 1 FROM xero_fdw._budget() WHERE shared AND client_id = 'app'});
	my $result = $session{alice}->try(query('alices'));
	is($result->{state}, '00000', "$name: who belongs there calls at once") or diag($result->{text});
	is($root->rows(q{SELECT calls, app_minute_remaining > 9000 FROM xero_fdw._budget() WHERE shared AND client_id = 'app'}), "$calls|t", '... which is one call more');
	return;
}

# ---- a token that Xero does not accept ----

$session{alice}->rows(query('alices'));
$mark = $sandbox->mark;
is($session{mallory}->rows("SELECT call_often('${\ query('same')}', 200)"), '{"28000": 200}', 'a server that names the same application');
is(statuses(), '401: 200', '... is told by Xero each time that it does not belong there');
alice_can_call('200 calls');
is($root->rows(q{SELECT calls FROM xero_fdw._budget() WHERE NOT shared}), 200, '... which count for the stranger alone');

# So it is on alice's own server, with the stranger's mapping: its limits hold.
$session{mallory}->rows(q{CREATE USER MAPPING FOR mallory SERVER alices OPTIONS (access_token 'bogus')});
$mark = $sandbox->mark;
is($session{mallory}->rows("SELECT call_often('${\ query('alices')}', 70)"), '{"28000": 60, "53400": 10}', 'a mapping of the stranger');
is(statuses(), '401: 60', '... has the minute of the server for itself');
alice_can_call('60 calls');

# ---- what is said with a refusal ----

my %spent = ('X-MinLimit-Remaining' => 0, 'X-AppMinLimit-Remaining' => 0, 'X-DayLimit-Remaining' => 0);
foreach my $case ([ 401, 'same' ], [ 403, 'same' ], [ 404, 'same' ], [ 401, 'beside' ], [ 403, 'beside' ], [ 500, 'beside' ])
{
	my ($status, $server) = @$case;
	$sandbox->faults({ path => '/api.xro/2.0/Accounts', status => $status, headers => \%spent, times => 1 });
	isnt($session{mallory}->try(query($server))->{state}, '00000', "$server: an answer $status says that nothing is left");
	alice_can_call('... nobody believes it');
}

# Nor are refusals for a limit anybody else's.
foreach my $problem ('minute', 'day', 'appminute', 'concurrent')
{
	$sandbox->faults({ path => '/api.xro/2.0/Accounts', problem => $problem, retry_after => 1000, times => 1 });
	is($session{mallory}->try(query('same'))->{state}, '53400', "the stranger is refused for the limit $problem");
	alice_can_call("... $problem");
	$session{mallory}->rows(q{SELECT xero_fdw.clear_block('same')});
}
$sandbox->faults({ path => '/api.xro/2.0/Accounts', problem => 'day', retry_after => 1000, times => 1 });
is($session{alice}->try(query('alices'))->{state}, '53400', 'who belongs there is refused');
$session{mallory}->rows(q{SELECT xero_fdw.clear_block('same')});
is($session{alice}->try(query('alices'))->{state}, '53400', '... which no stranger clears');
$root->rows(q{SELECT xero_fdw.clear_block('alices')});
$sandbox->faults;

# ---- proof ----

# With a token that is accepted, the stranger is none: what it calls counts, and
# what it waits for is the same.
$root->rows(q{ALTER USER MAPPING FOR mallory SERVER alices OPTIONS (SET access_token 'sandbox-token')});
is($budget->row('alices', 'count(*)'), '2', 'a budget that is shared, and the stranger\'s');
is($session{mallory}->rows(query('alices')), 't', '... whose token is accepted');
is($budget->row('alices', 'count(*)'), '1', '... so it has none of its own any more');
alice_can_call('one budget');

# A call is under way for each of them, and each has one that waits for a place.
$root->rows(q{ALTER SERVER alices OPTIONS (ADD concurrency '1')});
my $holder = XeroSession->new($node, user => 'alice');
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 60_000 });
ok($budget->hold($holder, 'SELECT count(invoice_id::text) FROM alices.invoices'), 'a call takes long');
$session{mallory}->rows(q{SET xero_fdw.max_wait = '1min'});
$session{mallory}->start(query('alices'));
ok($budget->waits($session{mallory}, 'budget'), '... for which the other waits');
$root->rows('SELECT pg_cancel_backend(' . $holder->pid . ')');
is($holder->wait->{state}, '57014', '... until it is cancelled');
is($session{mallory}->wait->{rows}, 't', '... and then has its turn');

# Two of one caller that has proved nothing yet: the second waits for the first in
# what is their own, and goes on in what is shared.
$root->rows(q{ALTER USER MAPPING FOR mallory SERVER same OPTIONS (SET access_token 'sandbox-token'); ALTER SERVER same OPTIONS (SET concurrency '1')});
my @two = map { XeroSession->new($node, user => 'mallory') } 1 .. 2;
$sandbox->faults({ path => '/api.xro/2.0/Accounts', delay_ms => 2000, times => 1 });
ok($budget->hold($two[0], query('same')), 'a first call');
$two[1]->start('SELECT count(user_id) > 0 FROM same.users');
ok($budget->waits($two[1], 'budget'), '... for whose answer a second one waits');
is($_->wait->{rows}, 't', '... both are accepted') foreach @two;
is($root->rows(q{SELECT count(*) FROM xero_fdw._budget() WHERE NOT shared AND in_flight + waiting > 0}), 0, '... nothing is left of what was their own');

# A token that is accepted no more takes the proof away, and another brings it back.
$sandbox->faults({ path => '/api.xro/2.0/Accounts', status => 401, times => 2 });
is($session{alice}->rows("SELECT call_often('${\ query('alices')}', 3)"), '{"00000": 1, "28000": 2}', 'a token that is not accepted twice');
alice_can_call('accepted again');

# ---- a token that says whose it is ----

my $answer = HTTP::Tiny->new->post_form($sandbox->url . '/connect/token',
	{ grant_type => 'client_credentials', client_id => 'sandbox-client', client_secret => 'sandbox-secret' });
my $token = decode_json($answer->{content})->{access_token};
strangers_server('signed', client_id => 'app', tenant_id => $tenants[0]);
$root->rows("ALTER USER MAPPING FOR mallory SERVER signed OPTIONS (SET access_token '$token')");
is($session{mallory}->rows(query('signed')), 't', 'the token of another application than the server names');
is($root->rows(q{SELECT client_id, shared, calls FROM xero_fdw._budget() WHERE client_id = 'sandbox-client'}), 'sandbox-client|t|1', '... counts for that application');
is($root->rows(q{SELECT count(*) FROM xero_fdw.budget WHERE server = 'signed' AND calls = 1}), 1, '... which the view shows');
alice_can_call('another application');

$_->quit foreach $holder, @two, values %session, $budget;
done_testing();
