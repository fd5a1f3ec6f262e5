# A PostgreSQL server with xero_fdw, and a sandbox that it is connected to.
#
#   my $xero = XeroTest->new(sandbox => ['--invoices', 2500]);
#   is($xero->psql('SELECT count(*) FROM xero.invoices'), 2500);
#   is_deeply([ $xero->calls_of('SELECT ...') ], ['GET /api.xro/2.0/...']);
#
# Options of new(), all optional:
#   name        of the node                       ('main')
#   sandbox     arguments, or a XeroSandbox       (['--seed', 1])
#   conf        lines for postgresql.conf         ('')
#   server      options of the foreign server     ({}), added to api_url etc.
#   mapping     options of the user mapping       (the sandbox's bearer token); {}: none
#   import      remote schema for "xero", or undef  ('accounting')
package XeroTest;

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);
use XeroSandbox;

sub new
{
	my ($class, %option) = @_;
	my $self = bless {}, $class;
	my $sandbox = $option{sandbox} // [ '--seed', 1 ];
	$self->{sandbox} =
	  ref $sandbox eq 'ARRAY' ? XeroSandbox->new(@$sandbox) : $sandbox;
	$self->{node} = new_node($option{name} // 'main', $option{conf} // '');
	$self->{node}->safe_psql('postgres', 'CREATE EXTENSION xero_fdw');
	$self->create_server('xero', $option{server}, $option{mapping});
	my $remote = exists $option{import} ? $option{import} : 'accounting';
	$self->import_schema($remote) if defined $remote;
	return $self;
}

# A started server that preloads the extension (XERO_PRELOAD: or what else),
# and nothing more.
# XERO_STAGED_SETTINGS are the settings by which a server finds an extension
# that is not installed into the system (script/lib.sh, staged_settings).
sub new_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	my $preload = $ENV{XERO_PRELOAD} // 'xero_fdw';
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n"
		  . ($ENV{XERO_STAGED_SETTINGS} // '') . "\n$conf\n");
	$node->start;
	return $node;
}

sub option_list
{
	my ($options) = @_;
	return join(', ',
		map { (my $value = $options->{$_}) =~ s/'/''/g; "$_ '$value'" }
		sort keys %$options);
}

# A foreign server that leads to the sandbox, with a mapping for everybody.
# Without other options it carries the sandbox's ready-made token.
sub create_server
{
	my ($self, $name, $server, $mapping) = @_;
	my $url = $self->{sandbox}->url;
	my %server = (
		api_url => $url,
		identity_url => $url,
		login_url => $url,
		%{ $server // {} });
	my %mapping = %{ $mapping // { access_token => 'sandbox-token' } };
	$self->{mapping} = option_list(\%mapping);
	$self->{node}->safe_psql('postgres',
		"CREATE SERVER $name FOREIGN DATA WRAPPER xero_fdw OPTIONS ("
		  . option_list(\%server) . ");\n"
		  . "CREATE USER MAPPING FOR PUBLIC SERVER $name"
		  . (%mapping ? " OPTIONS ($self->{mapping});" : ';'));
	return;
}

# Creates an ordinary role, which is a member of nothing: it may log in and create
# schemas, has a user mapping of its own, and on the foreign tables the rights given,
# such as 'SELECT ON xero.invoices'.
sub create_role
{
	my ($self, $role, @rights) = @_;
	$self->psql("CREATE ROLE $role LOGIN; GRANT CREATE ON DATABASE postgres TO $role; GRANT USAGE ON SCHEMA xero TO $role;
		CREATE USER MAPPING FOR $role SERVER xero OPTIONS ($self->{mapping});" . join('', map { "GRANT $_ TO $role;" } @rights));
	return;
}

# Import a remote schema into the schema "xero".
sub import_schema
{
	my ($self, $remote) = @_;
	$self->{node}->safe_psql('postgres',
		"CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA $remote FROM SERVER xero INTO xero;");
	return;
}

sub node { return $_[0]->{node}; }
sub sandbox { return $_[0]->{sandbox}; }

# The output of a statement that must succeed.
sub psql
{
	my ($self, $sql) = @_;
	return $self->{node}->safe_psql('postgres', $sql);
}

# Kills a process of the server, and waits until that has begun anew: it has
# another checkpointer then.
sub crash
{
	my ($self, $pid) = @_;
	my $before = $self->checkpointer;
	kill 'KILL', $pid;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if $self->checkpointer !~ /^(|$before)$/;
		sleep(0.1);
	}
	die 'the server did not come back';
}

# Its pid; '' while nobody can connect.  A psql that cannot may be gone before it
# was given its input, which is an exception.
sub checkpointer
{
	my ($self) = @_;
	my $pid = '';
	eval { $self->{node}->psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'}, stdout => \$pid) };
	return $pid // '';
}

# SQLSTATE and text of a statement's error, or () if it had none.
sub error_of
{
	my ($self, $sql) = @_;
	my ($output, $error);
	my $status = $self->{node}->psql('postgres', $sql,
		stdout => \$output, stderr => \$error, on_error_stop => 1,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return () if $status == 0;
	my ($state) = $error =~ /(?:ERROR|FATAL):  ([0-9A-Z]{5}):/;
	return ($state // '', $error);
}

# The calls that a statement made, one readable line each.
sub calls_of
{
	my ($self, $sql) = @_;
	my $mark = $self->{sandbox}->mark;
	$self->psql($sql);
	return $self->{sandbox}->calls($mark);
}

1;
