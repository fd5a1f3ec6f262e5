# check(): what is wrong with a server, where it takes a clock, certificates, a
# consent and its key file, several organisations, or waits to be wrong.
use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use XeroConsent;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits', '--tenants', 2, '--invoices', 20, '--contacts', 20 ], XeroConsent::options());
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $other = XeroSession->new($node);
my @names = ('settings', 'key file', qw(reachable tls clock token scopes organisation budget), 'page size');

# The rows by name, each as "state: seen -> advice", several with a line each.
my ($mark, %row);
sub check
{
	my ($server) = @_;
	$mark = $sandbox->mark;
	%row = ();
	foreach (split /\n/, $session->rows("SELECT name, state || ': ' || seen || coalesce(' -> ' || advice, '') FROM xero_fdw.check('" . ($server // 'xero') . "')"))
	{
		my ($name, $text) = split /\|/, $_, 2;
		$row{$name} = join("\n", grep { defined } $row{$name}, $text);
	}
	return;
}

# Those that are not ok, in their order.
sub amiss { return join(', ', grep { ($row{$_} // 'missing') !~ /\Aok: [^\n]*(\nok: [^\n]*)*\z/ } @names); }

# What has been sent since, housekeeping too: all of it is reading.
sub paths
{
	my @calls = $sandbox->log($mark);
	is(join(' ', grep { $_->{method} ne 'GET' && $_->{path} ne '/connect/token' } @calls), '', 'nothing is written');
	return join(' ', map { $_->{path} =~ s/.*\///r } @calls);
}
my $hosts = qr/(connections openid-configuration|openid-configuration connections)/;

# ---- a consent, from nothing ----

check();
is(amiss(), 'token, scopes, organisation, budget, page size', 'before the consent');
is($row{'settings'}, 'ok: a consent', 'settings');
is($row{'key file'}, 'ok: no tokens are stored yet, and the file will be made with the first ones', 'no key file yet');
like($row{token}, qr/^problem: no consent is stored .* -> Authorize it: SELECT xero_fdw\.authorize_url\('xero'\); A custom connection needs/, 'no consent yet');
like(paths(), qr/^$hosts$/, 'the hosts are asked');

XeroConsent::connect($session, 'xero');
check();
is(amiss(), 'scopes', 'after it');
like($row{scopes}, qr/^warning: lacking: accounting\.\S+ \(for .*\); accounting\.\S+ \(for .*\) -> Xero grants these scopes to few applications/, 'all but what is closed to the application');
is($row{'key file'}, 'ok: it opens the stored tokens', 'the key is good');
like($row{token}, qr/^ok: Xero accepts it, until 20/, 'the token');
like($row{organisation}, qr/^ok: "Demo Company \(..\)" \(\S+\) answers\nok: "Demo Company \(..\)" \(\S+\) answers$/, 'both organisations');
like($row{budget}, qr/^ok: .* calls are left this minute, .*\nok: /, 'both budgets');
like(paths(), qr/^$hosts connections Organisation Organisation [A-Za-z]+$/, 'and the calls');

# ---- the key file ----

my $key = $session->rows('SHOW xero_fdw.key_file');
rename($key, "$key.away") or die;
check();
like($row{'key file'}, qr/^problem: key file ".*" does not exist: Stored secrets cannot be opened without it\. -> Restore the file from a backup/, 'the key file is missing');
open(my $file, '>', $key) or die;
print $file 'x' x 32;
close $file;
chmod(0644, $key);
check();
like($row{'key file'}, qr/^problem: key file ".*" has group or world access: /, 'everybody may read it');
chmod(0600, $key);
check();
like($row{'key file'}, qr/^problem: .*sealed with another key/, 'it is another one');
like($row{token}, qr/^ok: /, 'the present token is good all the same');
rename("$key.away", $key) or die;
check();
is($row{'key file'}, 'ok: it opens the stored tokens', 'it is back');

# ---- the clock ----

foreach ([ 7200, 'behind', 'problem' ], [ -7230, 'ahead of', 'warning' ], [ 30, '', 'ok' ])
{
	my ($seconds, $where, $state) = @$_;
	$sandbox->clock($seconds);
	check();
	like($row{clock}, $where ? qr/^$state: this machine's clock is (7\d{3}|2\d|3\d) seconds $where Xero's -> Set this machine's clock/ : qr/^ok: /, "clock: $state");
}
check();
like($row{clock}, qr/^ok: /, 'the clock is right');
XeroConsent::connect($session, 'xero');

# ---- tokens and organisations that end ----

my ($gone) = $row{organisation} =~ /\(([0-9a-f-]{36})\)/;
$sandbox->control('identity', { disconnect => $gone });
check();
like($row{organisation}, qr/^problem: server "xero" is not connected to organisation "Demo Company \(..\)" \($gone\) any more: .* -> Connect it again/m, 'an organisation is gone');
like($row{organisation}, qr/^ok: "Demo/m, 'the other one is there');
like(paths(), qr/^$hosts connections Organisation [A-Za-z]+$/, 'the one that is gone is not asked');
is($session->try('SELECT count(*) FROM xero.organisation')->{state}, '28000', 'a query says the same');

$sandbox->control('identity', { reject_refresh => JSON::XS::true, expire_tokens => JSON::XS::true });
check();
like($row{token}, qr/^problem: Xero does not accept the consent .* -> Authorize it/, 'the consent was ended');
like(amiss(), qr/token, scopes, organisation, budget, page size$/, 'and so nothing else can be checked');
$sandbox->control('identity', { reject_refresh => undef });
XeroConsent::connect($session, 'xero');

# ---- waits ----

# a minute that is spent: no wait for its end
$sandbox->faults({ path => '/api.xro/2.0/Organisation', problem => 'minute', retry_after => 50 });
my $began = time;
check();
cmp_ok(time - $began, '<', 30, 'no wait of a minute');
like($row{budget}, qr/^problem: "Demo .*: Xero's limit of calls a minute is used up for server "xero", until 20\S+ \S+ -> /m, 'the minute is spent');
like($row{organisation}, qr/^warning: not checked: "Demo .* is connected, but no call is allowed now$/m, 'so the organisation was not asked');
$session->rows("SELECT xero_fdw.clear_block('xero')");

# somebody else answers in Xero's place
$sandbox->faults({ path => '/*', status => 200, headers => { 'Content-Type' => 'text/html' }, body => '<html><body>Please log in</body></html>' });
check();
like($row{token}, qr/^problem: Xero's answer for server "xero" is not JSON: .* -> If that is no answer of Xero's, see what is between/, 'a page to log in');

# a host that is silent: a finding after a while, and a cancel is an error
$sandbox->faults({ path => '/.well-known/openid-configuration', delay_ms => 20_000 });
$session->rows("ALTER SERVER xero OPTIONS (ADD request_timeout '1000')");
check();
like($row{reachable}, qr/^problem: 127\.0\.0\.1:\d+: no answer after 1\d{3} ms -> Check the network/, 'a silent host');
like($row{token}, qr/^warning: not checked: Xero cannot be reached/, 'then no token is asked for');
$session->rows("ALTER SERVER xero OPTIONS (DROP request_timeout)");
foreach my $path ('/.well-known/openid-configuration', '/connections', '/api.xro/2.0/Organisation')
{
	$sandbox->faults({ path => $path, delay_ms => 20_000, after => $path eq '/connections' ? 1 : 0 });
	$mark = $sandbox->mark;
	$session->start("SELECT * FROM xero_fdw.check('xero')");
	for (1 .. 100) { last if (grep { $_->{path} eq $path } $sandbox->log($mark)) > ($path eq '/connections'); sleep 0.1; }
	$other->rows('SELECT pg_cancel_backend(' . $session->pid . ')');
	my $result = $session->wait;
	is($result->{state}, '57014', "$path: a cancel ends it");
	is($result->{rows}, '', "$path: without a row");
}
$sandbox->faults();
is($other->rows('SELECT sum(in_flight) FROM xero_fdw.budget'), 0, 'no call is left');
check();
is(amiss(), 'scopes', 'all is well again');

# ---- certificates ----

SKIP:
{
	my $folder = PostgreSQL::Test::Utils::tempdir();
	skip 'no openssl', 4
	  if system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $folder/key -out $folder/crt -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null") != 0;
	my $tls = XeroSandbox->new('--seed', 1, '--no-limits', '--tls', "$folder/crt", "$folder/key");
	$xero->create_server('secure', { api_url => $tls->url, identity_url => $tls->url }, { access_token => 'sandbox-token' });
	check('secure');
	like($row{tls}, qr/^problem: the certificate of 127\.0\.0\.1:\d+ is not trusted: .* -> Check this machine's certificates/, 'a certificate that nobody knows');
	like($row{reachable}, qr/^ok: /, 'its host can be reached');
	like($row{token}, qr/^warning: not checked: Xero cannot be reached, or not be trusted/, 'it gets no token');
	$session->rows("ALTER SERVER secure OPTIONS (ADD ca_file '$folder/crt')");
	check('secure');
	is($row{tls}, 'ok: the certificates are trusted', 'a certificate that is trusted');
	$tls->stop;
}

# ---- many organisations ----

$sandbox->reset(tenants => 23, limits => JSON::XS::false);
$xero->create_server('many', { client_id => 'sandbox-client', grant_type => 'client_credentials' }, { client_secret => 'sandbox-secret' });
check('many');
is(scalar(my @answered = $row{organisation} =~ /^ok: .* answers$/mg), 20, 'twenty are asked');
is(scalar(my @others = $row{organisation} =~ /^warning: not checked: .* so many organisations are not asked at once$/mg), 3, 'and the others are named');
is(scalar(grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark)), 20, 'a call for each');

# ---- Xero is gone ----

$sandbox->stop;
%row = ();
$began = time;
is($session->rows("SELECT string_agg(name, ', ') FROM xero_fdw.check('xero') WHERE state = 'problem'"), 'reachable', 'nobody is there');
cmp_ok(time - $began, '<', 20, 'which is said soon');

done_testing();
