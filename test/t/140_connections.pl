# How Xero is reached: refused ports, names that do not resolve, name servers
# that are silent, and certificates.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use XeroFail;
use XeroSandbox;
use XeroSession;
use XeroTest;

my $folder = PostgreSQL::Test::Utils::tempdir();

# Where this can be built, one name has a name server that is silent.
my $silent = XeroFail::library();
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ], conf => $silent ? XeroFail::settings() : '');
XeroFail::create($xero) if $silent;
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $tenant = $xero->psql('SELECT tenant_id FROM xero.accounts LIMIT 1');
$xero->psql("ALTER SERVER xero OPTIONS (ADD tenant_id '$tenant')");
my $session = XeroSession->new($node);
my $other = XeroSession->new($node);
my $query = 'SELECT count(account_id), min(name) FROM xero.accounts';
my $rows = $session->rows($query);

sub lead_to { $session->rows("ALTER SERVER xero OPTIONS (SET api_url '$_[0]')"); return; }

# ---- nobody there ----

lead_to('http://127.0.0.1:1');
my $result = $session->try($query);
is($result->{state}, '08001', 'refused port: SQLSTATE');
like($result->{text}, qr/could not connect to Xero for server "xero"\nDETAIL:  GET \/api.xro\/2.0\/Accounts: .*127\.0\.0\.1.*\.\n/, 'message');
is($session->rows("SELECT string_agg(attempt || ' ' || error, ', ' ORDER BY at) FROM xero_fdw.requests WHERE error IS NOT NULL"),
	join(', ', map { "$_ no connection" } 1 .. 5), 'five attempts');
lead_to($sandbox->url);
is($session->rows($query), $rows, 'afterwards');

# Xero goes away and comes back between statements, and during one.
$sandbox->stop;
is($session->try($query)->{state}, '08001', 'Xero is down');
$sandbox->start;
is($session->rows($query), $rows, 'and up again');
$sandbox->stop;
$session->start($query);
$sandbox->start;
$result = $session->wait;
like($result->{state}, qr/^(00000|08001)$/, 'down when a statement begins: rows or an error') or diag($result->{text});
is($result->{rows}, $rows, 'all of them') if $result->{state} eq '00000';
is($session->rows($query), $rows, 'afterwards');

# ---- names ----

SKIP:
{
	skip "no C compiler", 17 unless $silent;

	lead_to('https://nowhere.invalid');
	$result = $session->try($query);
	is($result->{state}, '08001', 'a name that does not exist: SQLSTATE');
	like($result->{text}, qr/could not connect to Xero for server "xero"\nDETAIL:  .*nowhere\.invalid\.\n/, 'message');

	lead_to('https://silent.invalid');
	foreach (1 .. 3)
	{
		$session->rows('SET statement_timeout = 300');
		$result = $session->try($query);
		is($result->{state}, '57014', 'a silent name server, statement_timeout');
		cmp_ok($result->{seconds}, '<', 2, 'ends it at once');
		$session->rows('RESET statement_timeout');
	}
	$session->start($query);
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE waiting_for = 'network'");
	my $began = time;
	$other->rows('SELECT pg_cancel_backend(' . $session->pid . ')');
	is($session->wait->{state}, '57014', 'a silent name server, cancel');
	cmp_ok(time - $began, '<', 2, 'ends it at once');
	like($other->rows('SELECT silent_masks()'), qr/\A(111 )+\z/, 'no signal handler can run in the thread that resolves');
	lead_to($sandbox->url);
	is($session->rows($query), $rows, 'afterwards');
	lead_to('https://silent.invalid');
	$session->start($query);
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE waiting_for = 'network'");
	$began = time;
	$other->rows('SELECT pg_terminate_backend(' . $session->pid . ')');
	is($session->wait->{state}, '57P01', 'a silent name server, terminate');
	$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = ' . $session->pid);
	cmp_ok(time - $began, '<', 5, 'ends the backend, not after the name server');
	$session->quit;
	$session = XeroSession->new($node);
	$session->rows("ALTER SERVER xero OPTIONS (ADD request_timeout '500')");
	$result = $session->try($query);
	is($result->{state}, '08001', 'a silent name server, request_timeout');
	cmp_ok($result->{seconds}, '<', 10, 'bounds it');
	$session->rows("ALTER SERVER xero OPTIONS (DROP request_timeout)");
}

# ---- an answer that does not come ----

lead_to($sandbox->url);
$session->rows("ALTER SERVER xero OPTIONS (ADD request_timeout '400')");
$sandbox->faults({ path => '/api.xro/2.0/Accounts', delay_ms => 5_000 });
my $mark = $sandbox->mark;
$result = $session->try($query);
is($result->{state}, '08006', 'request_timeout: SQLSTATE');
like($result->{text}, qr/Xero did not answer in time for server "xero"\nDETAIL:  GET \S+ had no whole answer after 400 ms\.\nHINT:  The server option "request_timeout" sets the time\./, 'message');
is(scalar($sandbox->calls($mark)), 3, 'three attempts');
$sandbox->faults({ path => '/api.xro/2.0/Accounts', delay_ms => 5_000, times => 1 });
is($session->rows($query), $rows, 'an answer that comes in time the second time');
$sandbox->faults({ path => '/api.xro/2.0/Accounts', drip_ms => 100 });
is($session->try($query)->{state}, '08006', 'byte by byte is no whole answer either');
$sandbox->faults;
$session->rows("ALTER SERVER xero OPTIONS (DROP request_timeout)");
is($session->rows($query), $rows, 'afterwards');

# ---- TLS ----

SKIP:
{
	my $openssl = '-newkey rsa:2048 -nodes -days 2 -x509';
	my $made = 1;
	foreach my $name ('good', 'other')
	{
		my $host = $name eq 'good' ? 'IP:127.0.0.1,DNS:localhost' : 'DNS:xero.example.com';
		$made &&= system("openssl req $openssl -keyout $folder/$name.key -out $folder/$name.crt -subj /CN=$name "
			  . "-addext subjectAltName=$host >$folder/openssl.log 2>&1") == 0;
	}
	skip 'no openssl', 16 unless $made;

	my $tls = XeroSandbox->new('--seed', 1, '--no-limits', '--tls', "$folder/good.crt", "$folder/good.key");
	lead_to($tls->url);
	$result = $session->try($query);
	is($result->{state}, '08001', 'a certificate that nobody knows: SQLSTATE');
	like($result->{text}, qr/certificate of the host of server "xero" is not trusted\nDETAIL:  .*certificate.*\nHINT:  The server option "ca_file" names the certificates to trust\./i, 'message');
	cmp_ok($result->{seconds}, '<', 3, 'is not tried again');
	$session->rows("ALTER SERVER xero OPTIONS (ADD ca_file '$folder/good.crt')");
	is($session->rows($query), $rows, 'with ca_file it is known');
	my $open = $session->descriptors;
	$session->rows($query) for 1 .. 5;
	cmp_ok($session->descriptors, '<=', $open, 'and the connection is kept');
	$session->rows("ALTER SERVER xero OPTIONS (SET ca_file '$folder/other.crt')");
	$result = $session->try($query);
	is($result->{state}, '08001', 'another ca_file: a kept connection does not go round it') or diag($result->{rows});
	$session->rows("ALTER SERVER xero OPTIONS (SET ca_file '$folder/missing.crt')");
	$result = $session->try($query);
	is($result->{state}, '08001', 'a ca_file that is not there: SQLSTATE');
	like($result->{text}, qr/missing\.crt/, 'is named');
	$session->rows("ALTER SERVER xero OPTIONS (SET ca_file '$folder/other.key')");
	is($session->try($query)->{state}, '08001', 'a ca_file without a certificate');

	my $wrong = XeroSandbox->new('--seed', 1, '--tls', "$folder/other.crt", "$folder/other.key");
	lead_to($wrong->url);
	$session->rows("ALTER SERVER xero OPTIONS (SET ca_file '$folder/other.crt')");
	$result = $session->try($query);
	is($result->{state}, '08001', 'the certificate of another host: SQLSTATE');
	like($result->{text}, qr/certificate of the host of server "xero" is not trusted\nDETAIL:  .*(host name|subject name|127\.0\.0\.1)/, 'message');

	lead_to('https://127.0.0.1:' . $sandbox->port);
	$result = $session->try($query);
	is($result->{state}, '08001', 'a port without TLS: SQLSTATE');
	like($result->{text}, qr/could not connect to Xero for server "xero"\nDETAIL:  .*(SSL|TLS)/i, 'message');

	(my $plain = $tls->url) =~ s/^https/http/;
	lead_to($plain);
	# Not in the session above: libcurl 8.14 sends it over the TLS connection
	# to this port that it kept.
	my $fresh = XeroSession->new($node);
	$result = $fresh->try($query);
	$fresh->quit;
	like($result->{state}, qr/^(08006|HV00L)$/, 'a port that wants TLS') or diag($result->{text});
	lead_to($tls->url);
	$session->rows("ALTER SERVER xero OPTIONS (SET ca_file '$folder/good.crt')");
	is($session->rows($query), $rows, 'afterwards');
	$_->stop foreach $tls, $wrong;
}

# ---- addresses that are refused from the start ----

$session->rows("ALTER SERVER xero OPTIONS (SET api_url '" . $sandbox->url . "')");
foreach my $url ('http://example.com', 'http://127.0.0.1.example.com', 'http://localhost.example.com', 'http://127.0.0.1@example.com',
	'ftp://127.0.0.1', 'file:///etc/passwd', '', 'https://', "https://a\nb", 'https://user:pw@api.xero.com', 'http://[::2]')
{
	$result = $session->try("ALTER SERVER xero OPTIONS (SET api_url '$url')");
	is($result->{state}, '22023', "api_url '" . $url =~ s/\n/\\n/r . "'") or diag($result->{text});
}
is($session->rows($query), $rows, 'what is refused changes nothing');

$_->quit foreach $session, $other;
done_testing();
