# A server that answers as a test's own code writes on the wire: for what no
# HTTP server would send.
#
#   my $wire = XeroWire->new(sub { my ($socket, $head) = @_; print $socket ...; });
#   $wire->url;  $wire->heads;      # what clients sent, one string each
#
# Each connection is served once, by a process of its own, and closed.
package XeroWire;

use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::INET;
use POSIX ();
use PostgreSQL::Test::Utils;

my %running;
my $count = 0;

sub new
{
	my ($class, $answer) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1', Listen => 64, ReuseAddr => 1)
	  or croak "could not listen: $!";
	my $self = bless {
		port => $listener->sockport,
		heads => PostgreSQL::Test::Utils::tempdir() . '/wire_' . ++$count
	}, $class;
	my $pid = fork() // croak "could not fork: $!";
	serve($listener, $answer, $self->{heads}) if $pid == 0;
	$self->{pid} = $pid;
	$running{$pid} = 1;
	return $self;
}

# In the child: never returns, and never runs the test's END blocks.
sub serve
{
	my ($listener, $answer, $file) = @_;
	$SIG{CHLD} = 'IGNORE';
	$SIG{TERM} = sub { POSIX::_exit(0) };
	while (1)
	{
		my $socket = $listener->accept or next;
		my $pid = fork();
		next if !defined $pid || $pid != 0;
		$SIG{PIPE} = 'IGNORE';
		my $head = '';
		until ($head =~ /\r\n\r\n/)
		{
			sysread($socket, $head, 65536, length $head) or last;
		}
		open(my $log, '>>', $file) or POSIX::_exit(1);
		syswrite($log, $head);
		$answer->($socket, $head) if length $head;
		$socket->flush;
		shutdown($socket, 1);
		close($socket);
		POSIX::_exit(0);
	}
}

sub url { return "http://127.0.0.1:$_[0]->{port}"; }
sub port { return $_[0]->{port}; }

# All that clients sent so far.
sub heads
{
	my ($self) = @_;
	return '' unless -e $self->{heads};
	return PostgreSQL::Test::Utils::slurp_file($self->{heads});
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	delete $running{$pid};
	kill 'KILL', $pid;
	waitpid($pid, 0);
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->stop; return; }

END
{
	my $status = $?;
	kill 'KILL', keys %running;
	waitpid($_, 0) foreach keys %running;
	$? = $status;
}

1;
