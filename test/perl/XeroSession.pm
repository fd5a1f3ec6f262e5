# One session with a server, kept over many statements, so that a test can see
# what is left in the backend after a failure, and act while a statement runs.
#
#   my $session = XeroSession->new($node);
#   is($session->rows('SELECT 1'), '1');          # must succeed
#   my $result = $session->try('SELECT 1/0');     # $result->{state} is 22012
#   $session->start('SELECT pg_sleep(9)');  ...;  $result = $session->wait;
package XeroSession;

use strict;
use warnings;

use Carp qw(croak);
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# Options: dbname, user (both postgres), settings (for PGOPTIONS).
sub new
{
	my ($class, $node, %option) = @_;
	my $self = bless { out => '', err => '', in => '', n => 0 }, $class;
	my @command = (
		$node->installed_command('psql'), '-XAtq', '-f', '-',
		'-v', 'ON_ERROR_STOP=0', '-v', 'VERBOSITY=verbose', '-v', 'SHOW_CONTEXT=always',
		'-d', $node->connstr($option{dbname} // 'postgres'),
		'-U', $option{user} // 'postgres');
	local $ENV{PGOPTIONS} = $option{settings} // '';
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	$self->{timer} = IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default);
	$self->{psql} = IPC::Run::start(\@command, '<', \$self->{in}, '>', \$self->{out},
		'2>', \$self->{err}, $self->{timer});
	$self->{pid} = $self->rows('SELECT pg_backend_pid()');
	return $self;
}

sub pid { return $_[0]->{pid}; }

# Send a statement; wait() brings what comes of it.
sub start
{
	my ($self, $sql) = @_;
	$sql =~ s/;?\s*$/;/;
	$self->{n}++;
	$self->{in} .= "$sql\n\\echo <$self->{n} :SQLSTATE>\n\\warn <$self->{n}>\n";
	$self->{began} = time;
	$self->{timer}->start($PostgreSQL::Test::Utils::timeout_default);
	$self->{psql}->pump_nb;
	return;
}

# The outcome of the statement: state (00000 if all was well; 57P01 and the
# like also if it ended the session), rows, text (errors and notices), seconds.
sub wait
{
	my ($self) = @_;
	my $n = $self->{n};
	my %result;
	# With the line's end, which psql may write in a second call.
	until ($self->{out} =~ /^<$n \w+>\n/m && $self->{err} =~ /^<$n>\n/m)
	{
		last unless $self->{psql}->pumpable;
		$self->{psql}->pump;
	}
	$result{seconds} = time - $self->{began};
	($result{rows}, $result{state}) = $self->{out} =~ /\A(.*?)^<$n (\w+)>$/ms;
	$result{text} = $self->{err} =~ s/^<$n>\n//mr;
	($result{state}) = $result{text} =~ /(?:ERROR|FATAL):  (\w{5}):/ unless $result{state};
	chomp($result{rows} //= '');
	$self->{out} = $self->{err} = '';
	return \%result;
}

sub try { my ($self, $sql) = @_; $self->start($sql); return $self->wait; }

sub rows
{
	my ($self, $sql) = @_;
	my $result = $self->try($sql);
	croak "$sql\n$result->{text}" if ($result->{state} // '') ne '00000';
	return $result->{rows};
}

# Of this backend, in kB: VmRSS, VmHWM (the peak) ...  Not every role may ask the
# server for it.
sub memory
{
	my ($self, $name) = @_;
	return (PostgreSQL::Test::Utils::slurp_file("/proc/$self->{pid}/status") =~ /^$name:\s+(\d+)/m)[0];
}

# A test: is the backend's memory less than so many kB?  The sanitizers keep
# what is freed, and have their own.
sub memory_below
{
	my ($self, $what, $limit, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
  SKIP:
	{
		skip 'memory under the sanitizers', 1 if $ENV{XERO_SANITIZED};
		cmp_ok($self->memory($what), '<', $limit, $name);
	}
	return;
}

# Open descriptors of this backend; that of reading the folder is one of them.
sub descriptors { return $_[0]->rows("SELECT count(*) FROM pg_ls_dir('/proc/self/fd')"); }

sub quit
{
	my ($self) = @_;
	return unless $self->{psql};
	$self->{in} .= "\\q\n";
	eval { $self->{psql}->finish; };
	delete $self->{psql};
	return;
}

# The client vanishes without a word.
sub lose
{
	my ($self) = @_;
	my $psql = delete $self->{psql};
	$psql->kill_kill;
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->quit; return; }

1;
