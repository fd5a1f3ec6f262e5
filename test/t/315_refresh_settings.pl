# Settings of a database or a role that would end the worker in the middle of an
# exchange, or keep it from storing what it got, do not reach it.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroSession;
use XeroTest;

my %options = XeroConsent::options();
my ($key_file) = $options{conf} =~ /key_file = '(.*)'/;
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ], %options);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);

# The session that asks keeps settings of its own.
my %setting = (
	transaction_timeout => '1s', statement_timeout => '1s', lock_timeout => '1s', idle_in_transaction_session_timeout => '1s', idle_session_timeout => '1s',
	default_transaction_read_only => 'on', default_transaction_isolation => 'serializable', default_transaction_deferrable => 'on',
	search_path => 'nowhere', role => 'nobody', exit_on_error => 'on', session_replication_role => 'replica', synchronous_commit => 'off');
my %usual = map { $_ => $node->safe_psql('postgres', "SELECT setting FROM pg_settings WHERE name = '$_'") } keys %setting;
my @known = grep { $usual{$_} ne '' } sort keys %setting;
my $options = join(' ', map { (my $value = $usual{$_}) =~ s/ /\\ /g; "-c $_=$value" } grep { $_ ne 'search_path' } @known);
$node->safe_psql('postgres', 'CREATE ROLE nobody; CREATE SCHEMA nowhere');
my $session = XeroSession->new($node, settings => $options);
XeroConsent::connect($session, 'xero');
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '" . $session->rows('SELECT tenant_id FROM xero_fdw.connections') . "')");

# On the database, and on the role that the worker is.
foreach my $whose ('DATABASE postgres', 'ROLE postgres')
{
	$session->rows("ALTER $whose SET $_ = '$setting{$_}'") foreach @known;
	my $before = -s $node->logfile;
	$sandbox->control('identity', { expire_tokens => JSON::PP::true() });
	$sandbox->faults({ path => '/connect/token', delay_ms => 2500, times => 1 });
	my $mark = $sandbox->mark;
	is($session->rows('SELECT count(account_id) > 0 FROM xero.accounts'), 't', "$whose: rows");
	is(scalar(grep { $_->{path} eq '/connect/token' } $sandbox->log($mark)), 1, "$whose: one exchange");
	is($session->try("SELECT xero_fdw.refresh_token('xero')")->{state}, '00000', "$whose: refreshed by hand");
	unlike(substr(slurp_file($node->logfile), $before), qr/FATAL|ERROR|background worker .* (exited|terminated)/, "$whose: the worker came to its end");
	$session->rows("ALTER $whose RESET $_") foreach @known;
}

# An error of the worker's is what those who wait get to hear.
$session->rows('ALTER DATABASE postgres SET exit_on_error = on');
rename($key_file, "$key_file.away") or die $!;
$sandbox->control('identity', { expire_tokens => JSON::PP::true() });
my $mark = $sandbox->mark;
my $result = $session->try("SELECT xero_fdw.refresh_token('xero')");
like($result->{text}, qr/key file/, 'exit_on_error: what went wrong is told') or diag($result->{state});
rename("$key_file.away", $key_file) or die $!;
is($session->rows('SELECT count(account_id) > 0 FROM xero.accounts'), 't', 'exit_on_error: afterwards');

$session->quit;
done_testing();
