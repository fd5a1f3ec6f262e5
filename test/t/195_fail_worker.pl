# What the background worker that exchanges tokens, and whoever waits for it, asks
# of the system fails, at each of the places where they ask (see 190_fail_nth.pl);
# or there is no worker, or it dies.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroFail;
use XeroSession;
use XeroTest;

XeroFail::library() or plan skip_all => 'the module cannot be built';
my %options = XeroConsent::options();
$options{conf} .= "\n" . XeroFail::settings() . "\nrestart_after_crash = on";
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits', '--latency', 3 ], %options);
XeroFail::create($xero);
my $session = XeroSession->new($xero->node);
XeroConsent::connect($session, 'xero');
$session->quit;

XeroFail::lasting($xero, {
	name => 'refresh',
	sql => "SELECT xero_fdw.refresh_token('xero')",
	next => 'SELECT count(account_id) FROM xero.accounts' },
	@XeroFail::MEMORY, @XeroFail::CURL, @XeroFail::SYSTEM, @XeroFail::WORKER);

XeroFail::quiet($xero);
done_testing();
