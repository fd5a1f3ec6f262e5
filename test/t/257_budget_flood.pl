# One role asks for more organisations than there is room for, with calls that take
# long.  It gets half of the room; others keep theirs, and find some.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--tenants', 12, '--contacts', 60, '--minute-limit', 10_000, '--concurrency', 100 ],
	conf => 'xero_fdw.max_tenants = 8', import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my $root = $budget->watcher;
my @tenants = sort $budget->tenants;
my $mark;

$root->rows('CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE carol LOGIN; CREATE ROLE mallory LOGIN');

# Each of these reads all organisations, for an application of its own.
foreach my $n (1 .. 5)
{
	$xero->create_server("all_$n", { client_id => "app $n", minute_limit => 10_000 });
	$root->rows("CREATE SCHEMA all_$n; IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts, invoices) FROM SERVER all_$n INTO all_$n;
		GRANT USAGE ON SCHEMA all_$n TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA all_$n TO PUBLIC");
}
foreach my $n (0 .. 3)
{
	$budget->server("s$n", client_id => 'app', tenant_id => $tenants[$n]);
	$root->rows("GRANT USAGE ON SCHEMA s$n TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA s$n TO PUBLIC");
}
my %session = map { $_ => XeroSession->new($node, user => $_, settings => '-c xero_fdw.max_wait=0') } 'alice', 'bob', 'carol';

sub query { return "SELECT count(account_id) > 0 FROM s$_[0].accounts"; }

sub calls { return scalar(() = $sandbox->calls($mark)); }

# How many organisations calls are under way to, of applications like this.
sub under_way { return $root->rows("SELECT count(*) FROM xero_fdw._budget() WHERE in_flight > 0 AND client_id LIKE '$_[0]'"); }

# Do they sleep?  They may not even know the organisations yet.
sub sleep_now
{
	return $budget->until_true('SELECT count(*) = ' . @_ . q{ FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Extension' AND pid IN (}
		  . join(', ', map { $_->pid } @_) . ')');
}

sub kept { return $root->rows(q{SELECT string_agg(server || ' ' || calls, ', ' ORDER BY server) FROM xero_fdw.budget WHERE server ~ '^s[0-3]$'}); }

# ---- no more at once than the share of a role, and all of them ----

my $mallory = XeroSession->new($node, user => 'mallory');
$mark = $sandbox->mark;
my $scan = 'SELECT count(contact_id::text), count(DISTINCT tenant_id) FROM all_1.contacts';
is($mallory->rows($scan), '720|12', 'twelve organisations, where a role has room for four');
is(calls(), 12, '... a call each');
is($root->rows('SELECT count(*) FROM xero_fdw._budget()'), 4, '... which are known at last');

# ---- a flood ----

is($session{alice}->rows(query($_)), 't', "alice calls s$_") foreach 0 .. 2;
my @flood = map { XeroSession->new($node, user => 'mallory') } 1 .. 5;
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 100_000 });
$flood[ $_ - 1 ]->start("SELECT count(invoice_id::text) FROM all_$_.invoices") foreach 1 .. 5;
ok($budget->until_true(q{SELECT count(*) = 4 FROM xero_fdw._budget() WHERE in_flight > 0 AND client_id LIKE 'app _'}), 'calls that take long');
ok(sleep_now(@flood), '... of five sessions');
is(kept(), 's0 1, s1 1, s2 1', '... have pushed out nobody else');
$mark = $sandbox->mark;
is($session{alice}->rows(query($_)), 't', "... alice goes on with s$_") foreach 0 .. 2;
is($session{bob}->rows(query(3)), 't', '... bob finds room');
is(calls(), 4, '... with a call each');
is(kept(), 's0 2, s1 2, s2 2, s3 1', '... and all is known that was');
is(under_way('app _'), 4, '... while the others still take long');

# Who waits for room that its role may not have holds up nobody who waits, too; but
# what a server names is kept for it.
is($session{carol}->try('SELECT count(contact_id::text) FROM all_5.contacts')->{state}, '53400', 'nothing is left that carol may take');
$root->rows('SELECT xero_fdw.reset_stats()');
$session{carol}->rows(q{SET xero_fdw.max_wait = '2h'});
$session{carol}->start("SELECT count(contact_id::text) > 0 FROM all_5.contacts WHERE tenant_id = '$tenants[0]'");
ok(sleep_now($session{carol}), '... so she waits, behind those');
my $first = shift @flood;
$root->rows('SELECT pg_terminate_backend(' . $first->pid . ')');
$root->rows('SELECT pg_cancel_backend(' . $_->pid . ')') foreach @flood;
is($session{carol}->wait->{rows}, 't', '... until one of theirs is free');
$_->wait foreach @flood;
ok($budget->until_true('SELECT sum(in_flight) + sum(waiting) = 0 FROM xero_fdw._budget()'), 'nothing is left of it');
$sandbox->faults;
is($mallory->rows($scan), '720|12', '... and the role calls as before');

$_->quit foreach $first, @flood, $mallory, values %session, $budget;
done_testing();
