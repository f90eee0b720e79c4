# What a Request Tracker 5 needs for simdiag's tickets: a queue, its custom fields, a user for
# intake, its rights, and a guard against second tickets. Installed once, by
#   rt-setup-database-5 --action insert --datafile simdiag.pl --skip-create
# The names of the fields are those of simdiag's drafts; tests compare them.
use utf8;
use strict;
use warnings;

our $QUEUE = 'SIM-AfterSales';

our @Queues = ({ Name => $QUEUE, Description => 'Reports on SIM cards and modems, by simdiag' });

our @Users = ({
    Name       => 'simdiag',
    RealName   => 'simdiag intake',
    Privileged => 1,
});

my @lines = qw(SimdiagKey SimdiagCard SimdiagCause SimdiagDevice SimdiagHappened SimdiagPlace
    SimdiagWish SimdiagSeller SimdiagOrder SimdiagPlan SimdiagBundle SimdiagFingerprint);
my %choices = (
    SimdiagCategory => [qw(activation card_fault no_service top_up usage_dispute billing_dispute
        plan_change enquiry complaint)],
    SimdiagUrgency    => [qw(low normal high urgent)],
    SimdiagComplexity => [qw(simple normal complex)],
);

our @CustomFields = (
    # Never with UniqueValues: RT would make the second ticket all the same, only without its key.
    map({ { Name => $_, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket',
            Queue => $QUEUE } } @lines),
    map({ my $n = 0; { Name => $_, Type => 'SelectSingle', LookupType => 'RT::Queue-RT::Ticket',
            Queue => $QUEUE,
            Values => [ map { { Name => $_, SortOrder => $n++ } } @{ $choices{$_} } ] } }
        sort keys %choices),
);

our @ACL = (
    map({ { UserId => 'simdiag', Queue => $QUEUE, Right => $_ } }
        qw(SeeQueue CreateTicket ShowTicket ShowTicketComments CommentOnTicket ReplyToTicket
        ModifyTicket SeeCustomField ModifyCustomField SetInitialCustomField)),
);

# Two guards, for a request that its sender has given up may be carried out later, beside its
# repetition, and a network may deliver one twice.
our @Scrips = (
    {
        Queue          => $QUEUE,
        Description    => 'simdiag: one ticket for one key',
        ScripCondition => 'On Create',
        ScripAction    => 'User Defined',
        Template       => 'Blank',
        Stage          => 'TransactionCreate',
        CustomPrepareCode => q{
            my $key = $self->TicketObj->FirstCustomFieldValue('SimdiagKey') // '';
            return $key =~ /\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/;
        },
        # The younger ticket becomes a part of the oldest, and its sender is told of that one.
        CustomCommitCode => q{
            my $new = $self->TicketObj;
            my $older = RT::Tickets->new(RT->SystemUser);
            $older->FromSQL(sprintf 'id < %d AND CF.{SimdiagKey} = "%s"',
                $new->id, $new->FirstCustomFieldValue('SimdiagKey'));
            $older->OrderBy(FIELD => 'id', ORDER => 'ASC');
            my $first = $older->First or return 1;
            my $merged = RT::Ticket->new(RT->SystemUser);
            $merged->Load($new->id);
            my ($done, $why) = $merged->MergeInto($first->id);
            RT->Logger->error('simdiag: ticket ' . $new->id . " not merged: $why") unless $done;
            return 1;
        },
    },
    {
        Queue          => $QUEUE,
        Description    => 'simdiag: one file for one digest',
        ScripCondition => 'On Comment',
        ScripAction    => 'User Defined',
        Template       => 'Blank',
        Stage          => 'TransactionCreate',
        CustomPrepareCode => q{ return 1; },
        # A bundle's name is its digest: what comes under a known one is there already.
        CustomCommitCode => q{
            my $files = $self->TransactionObj->Attachments;
            while (my $file = $files->Next) {
                my $name = $file->Filename // '';
                next unless $name =~ /\Asimdiag-[0-9a-f]{64}\b/;
                my $known = RT::Attachments->new(RT->SystemUser);
                $known->LimitByTicket($self->TicketObj->id);
                $known->Limit(FIELD => 'Filename', VALUE => $name);
                $known->Limit(FIELD => 'id', OPERATOR => '<', VALUE => $file->id);
                $file->__Delete if $known->First;
            }
            return 1;
        },
    },
);

1;
