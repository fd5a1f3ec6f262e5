# What Xero's tiers allow: fewer calls a day, which the headers tell, and no
# limits at all in the first half hour of a connection, which options allow for.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--starter', '--invoices', 10, '--contacts', 130 ], XeroConsent::options());
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $paged = "CREATE FOREIGN TABLE paged (contact_id uuid) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '1')";
my ($mark, $result);

sub day { return $session->rows("SELECT day_limit, day_remaining FROM xero_fdw.budget WHERE tenant_id IS NOT NULL AND server = 'xero'"); }

# ---- 1,000 calls a day ----

XeroConsent::connect($session, 'xero');
is($session->rows('SELECT count(*) > 0 FROM xero.accounts'), 't', 'the tier Starter');
is(day(), '1000|999', 'its day is known with the first answer');
$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-legacy')");
XeroConsent::connect($session, 'xero');
$session->rows('SELECT count(*) FROM xero.accounts; SELECT count(*) FROM xero.accounts');
is(day(), '5000|4998', 'that of another tier with the second');

# ---- Rapid Sync: no limits for half an hour ----

# A statement of 130 calls that may not wait: how it ends, and what Xero answered.
sub rush
{
	my ($name, $state, $most) = @_;
	$session->rows('SELECT xero_fdw.reset_stats()');
	$mark = $sandbox->mark;
	$result = $session->try('SELECT count(contact_id::text) FROM paged');
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	my @calls = grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
	cmp_ok(scalar(grep { $_->{status} == 200 } @calls), '<=', $most, "$name: calls");
	return scalar(grep { $_->{status} == 429 } @calls);
}

$session->rows("ALTER SERVER xero OPTIONS (DROP client_id); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD access_token 'sandbox-token')");
$session->rows("$paged; SET xero_fdw.max_wait = '1s'");
$sandbox->reset(seed => 1, contacts => 130, invoices => 10, minute_limit => 100000, day_limit => 100000);
is(rush('the options as they are', '53400', 60), 0, 'Xero refuses none');
$session->rows("ALTER SERVER xero OPTIONS (ADD minute_limit '10000', ADD day_limit '1000000')");
is(rush('options that allow more', '00000', 130), 0, 'nor with more');
is($result->{rows}, 130, 'all rows');

# the half hour is over, the options are as they were
$sandbox->reset(seed => 1, contacts => 130, invoices => 10);
is($session->try('SELECT count(*) FROM xero.accounts')->{state}, '00000', 'a call tells that there are limits again');
is(rush('afterwards', '53400', 60), 0, 'Xero refuses none, as the headers tell what is left');

done_testing();
