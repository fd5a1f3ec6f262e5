# A Xero on this machine, for the time of one test.
#
#   my $sandbox = XeroSandbox->new('--latency', 20);
#   $sandbox->url;  $sandbox->faults({ path => ..., status => 503 });
#
# It listens on a free port, and stops when the test ends, however it ends.
package XeroSandbox;

use strict;
use warnings;

use Carp qw(croak);
use File::Basename qw(dirname);
use File::Spec;
use HTTP::Tiny;
use JSON::XS;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep);

use PostgreSQL::Test::Utils;

my $program = File::Spec->rel2abs(dirname(__FILE__)) . '/../sandbox/xero-sandbox';
my $count = 0;
my %running;

# Arguments are those of xero-sandbox; --port 0 is understood.
sub new
{
	my ($class, @arguments) = @_;
	my $log = sprintf('%s/sandbox_%s_%d.log',
		$PostgreSQL::Test::Utils::log_path, basename_of($0), ++$count);
	my $self = bless {
		output => $log,
		http => HTTP::Tiny->new(timeout => 60),
		arguments => \@arguments
	}, $class;
	$self->start;
	return $self;
}

sub basename_of
{
	my ($name) = @_;
	$name =~ s{.*/}{};
	$name =~ s{\.[^.]*$}{};
	return $name;
}

# Start again after stop(), on the same port, so that servers still find it.
sub start
{
	my ($self) = @_;
	unlink $self->{output};		# or it would say where the last one listened
	my $pid = fork();
	croak "could not fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		open(STDOUT, '>', $self->{output}) or die "$self->{output}: $!";
		open(STDERR, '>&', \*STDOUT) or die $!;
		{ exec($program, '--port', $self->{port} || 0, @{ $self->{arguments} }) };
		print STDERR "could not run $program: $!\n";
		POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$running{$pid} = 1;
	for (1 .. 300)
	{
		my $text = PostgreSQL::Test::Utils::slurp_file($self->{output})
		  if -e $self->{output};
		if (defined $text && $text =~ m{^listening on (https?://[^:\s]+:(\d+))}m)
		{
			($self->{url}, $self->{port}) = ($1, $2);
			return;
		}
		last if waitpid($pid, WNOHANG) != 0;
		sleep(0.1);
	}
	croak "the sandbox did not start, see $self->{output}";
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	delete $running{$pid};
	kill 'TERM', $pid;
	waitpid($pid, 0);
	return;
}

sub url { return $_[0]->{url}; }
sub port { return $_[0]->{port}; }
sub pid { return $_[0]->{pid}; }

# Ask the control interface; a hash or list is posted, nothing is a GET.
sub control
{
	my ($self, $path, $body) = @_;
	my $url = "$self->{url}/sandbox/$path";
	my $response =
	  defined $body
	  ? $self->{http}->post($url,
		{
			content => encode_json($body),
			headers => { 'Content-Type' => 'application/json' }
		})
	  : $self->{http}->get($url);
	croak "sandbox: $path: $response->{status} $response->{content}"
	  unless $response->{success};
	return length $response->{content} ? decode_json($response->{content}) : undef;
}

# All calls after the n-th, as hashes: n, method, path, query, headers, ...
sub log
{
	my ($self, $since) = @_;
	return grep { $_->{n} > ($since || 0) }
	  @{ $self->control('log?since=' . ($since || 0)) };
}

# How many calls there were so far.
sub mark
{
	my ($self) = @_;
	my @log = $self->log;
	return @log ? $log[-1]{n} : 0;
}

# The calls after the n-th that read or wrote records, each as one readable
# line: "GET /api.xro/2.0/Invoices?where=...".
sub calls
{
	my ($self, $since) = @_;
	return map { as_line($_) }
	  grep { is_api_call($_) } $self->log($since);
}

sub is_api_call
{
	my ($call) = @_;
	return $call->{path} !~ m{^/(connections|identity|connect|\.well-known|sandbox)\b};
}

sub as_line
{
	my ($call) = @_;
	my $query = $call->{query} // '';
	$query =~ tr/+/ /;
	$query =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	return "$call->{method} $call->{path}" . (length $query ? "?$query" : '');
}

sub state
{
	my ($self, $object) = @_;
	return $self->control("state/$object");
}

# Faults, one hash each; none clears them.
sub faults { my ($self, @faults) = @_; return $self->control('faults', \@faults); }
sub quirks { my ($self, @quirks) = @_; return $self->control('quirks', { quirks => \@quirks }); }
sub clock { my ($self, $seconds) = @_; return $self->control('clock', { advance => $seconds }); }
sub data { my ($self, %data) = @_; return $self->control('data', \%data); }
sub change { my ($self, %change) = @_; return $self->control('change', \%change); }
sub reset { my ($self, %options) = @_; return $self->control('reset', \%options); }

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->stop; return; }

END
{
	my $status = $?;
	kill 'TERM', keys %running;
	waitpid($_, 0) foreach keys %running;
	$? = $status;
}

1;
