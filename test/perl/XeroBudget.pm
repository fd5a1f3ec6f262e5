# What the tests of the budget share: servers for it, an outsider who spends
# from it, and looks at who waits for it.
#
#   my $budget = XeroBudget->new($xero);
#   $budget->server('a', client_id => 'app', minute_limit => 3);
#   my $session = XeroSession->new($xero->node);
#   $session->start('SELECT count(account_id) FROM a.accounts');
#   $budget->waits($session, 'budget');  $budget->row('a', 'in_flight, waiting');
package XeroBudget;

use strict;
use warnings;

use HTTP::Tiny;
use JSON::XS qw(decode_json);
use Time::HiRes qw(sleep);
use XeroSession;

# Lists that are one call each.
my @TABLES = qw(accounts users items currencies tax_rates organisation invoices);

sub new
{
	my ($class, $xero, %option) = @_;
	return bless {
		xero => $xero,
		sandbox => $option{sandbox} // $xero->sandbox,
		watcher => XeroSession->new($xero->node),
		http => HTTP::Tiny->new(
			agent => 'outsider',
			default_headers => {
				Authorization => 'Bearer sandbox-token', Accept => 'application/json' })
	}, $class;
}

sub watcher { return $_[0]->{watcher}; }

# The sandbox's organisations.
sub tenants
{
	my ($self) = @_;
	my $answer = $self->{http}->get($self->{sandbox}->url . '/connections');
	return map { $_->{tenantId} } @{ decode_json($answer->{content}) };
}

# A server for one organisation, and its tables in a schema of its name.
sub server
{
	my ($self, $name, %option) = @_;
	$option{tenant_id} //= ($self->tenants)[0];
	local $self->{xero}->{sandbox} = $self->{sandbox};
	$self->{xero}->create_server($name, \%option);
	$self->{watcher}->rows("CREATE SCHEMA $name; IMPORT FOREIGN SCHEMA accounting LIMIT TO ("
		  . join(', ', @TABLES) . ") FROM SERVER $name INTO $name");
	return;
}

# A call of each of these servers, by which its token has been accepted: from then on
# it shares its organisation's budget with others.
sub prove
{
	my ($self, @servers) = @_;
	$self->{watcher}->rows("SELECT count(lower(name)) FROM $_.organisation") foreach @servers;
	return;
}

# Another program calls; what Xero says to be left of the minute, or nothing if
# it is refused.
sub outsider
{
	my ($self, $tenant) = @_;
	my $answer = $self->{http}->get($self->{sandbox}->url . '/api.xro/2.0/Users',
		{ headers => { 'xero-tenant-id' => $tenant } });
	return if $answer->{status} == 429;
	die "$answer->{status} $answer->{content}" unless $answer->{success};
	return $answer->{headers}{'x-minlimit-remaining'};
}

sub until_true
{
	my ($self, $sql) = @_;
	for (1 .. 600)
	{
		return 1 if $self->{watcher}->rows($sql) eq 't';
		sleep(0.05);
	}
	return 0;
}

# Does the session wait, and for this?  Waits until it does.
sub waits
{
	my ($self, $session, $what) = @_;
	return $self->until_true("SELECT count(*) > 0 FROM xero_fdw.progress WHERE pid = "
		  . $session->pid . " AND waiting_for = '$what'");
}

# Starts a statement whose call takes long, as a fault says.  The sandbox has the call
# when this returns, so that faults may go; a session waits for the network already
# when it is about to send it.
sub hold
{
	my ($self, $session, $sql) = @_;
	my $mark = $self->{sandbox}->mark;
	$session->start($sql);
	for (1 .. 600)
	{
		return 1 if $self->{sandbox}->calls($mark);
		sleep(0.05);
	}
	return 0;
}

# Columns of xero_fdw.budget.
sub row
{
	my ($self, $server, $columns) = @_;
	return $self->{watcher}->rows("SELECT $columns FROM xero_fdw.budget WHERE server = '$server'");
}

# Nothing is under way and nobody waits, at the latest when calls that were
# abandoned have ended.
sub is_idle
{
	my ($self, $server) = @_;
	return $self->until_true("SELECT in_flight = 0 AND waiting = 0 FROM xero_fdw.budget WHERE server = '$server'");
}

sub quit { $_[0]->{watcher}->quit; return; }

1;
