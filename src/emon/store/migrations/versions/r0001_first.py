# ruff: noqa: E501
"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('alert',
    sa.Column('alert_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('episode', sa.BigInteger(), nullable=False),
    sa.Column('participant', sa.Text(), nullable=True),
    sa.Column('order_id', sa.Text(), nullable=True),
    sa.Column('condition_id', sa.Text(), nullable=True),
    sa.Column('family', sa.Text(), nullable=False),
    sa.Column('feed', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('event', sa.Text(), nullable=True),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('priority', sa.BigInteger(), nullable=False),
    sa.Column('condition_state', sa.Text(), nullable=False),
    sa.Column('work_state', sa.Text(), nullable=False),
    sa.Column('latched', sa.Boolean(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), nullable=False),
    sa.Column('touched', sa.Boolean(), nullable=False),
    sa.Column('supervision_level', sa.Text(), nullable=True),
    sa.Column('officer', sa.Text(), nullable=True),
    sa.Column('time_zone', sa.Text(), nullable=True),
    sa.Column('onset', sa.BigInteger(), nullable=False),
    sa.Column('ended', sa.BigInteger(), nullable=True),
    sa.Column('seen_until', sa.BigInteger(), nullable=True),
    sa.Column('opened_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('cleared_at', sa.BigInteger(), nullable=True),
    sa.Column('self_clear_at', sa.BigInteger(), nullable=True),
    sa.Column('waiting_since', sa.BigInteger(), nullable=True),
    sa.Column('held_by', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.BigInteger(), nullable=True),
    sa.Column('acknowledged_at', sa.BigInteger(), nullable=True),
    sa.Column('work_due', sa.BigInteger(), nullable=True),
    sa.Column('disposition', sa.Text(), nullable=True),
    sa.Column('closed_by', sa.Text(), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('activations', sa.BigInteger(), nullable=False),
    sa.Column('findings', sa.BigInteger(), nullable=False),
    sa.Column('previous', sa.BigInteger(), nullable=True),
    sa.Column('last_event', sa.BigInteger(), nullable=False),
    sa.Column('last_actor', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('alert_id', name=op.f('pk_alert'))
    )
    op.create_index('ix_alert_lease_until', 'alert', ['lease_until'], unique=False)
    op.create_index('ix_alert_order', 'alert', ['priority', 'opened_at', 'alert_id'], unique=False)
    op.create_index('ix_alert_participant', 'alert', ['participant', 'opened_at'], unique=False)
    op.create_index('ix_alert_queue', 'alert', ['work_state', 'priority', 'opened_at', 'alert_id'], unique=False)
    op.create_index('ix_alert_self_clear_at', 'alert', ['self_clear_at'], unique=False)
    op.create_index('ix_alert_work_due', 'alert', ['work_due'], unique=False)
    op.create_index('uq_alert_key_episode', 'alert', ['key', 'episode'], unique=True)
    op.create_table('alert_event',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=True),
    sa.Column('via', sa.Text(), nullable=True),
    sa.Column('data', sa.Text(), nullable=True),
    sa.Column('salt', sa.LargeBinary(), nullable=True),
    sa.Column('entry_hash', sa.LargeBinary(), nullable=False),
    sa.Column('chain_hash', sa.LargeBinary(), nullable=False),
    sa.Column('erased_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_alert_event'))
    )
    op.create_index('uq_alert_event_alert_id_version', 'alert_event', ['alert_id', 'version'], unique=True)
    op.create_table('binding_version',
    sa.Column('binding_id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('device', sa.Text(), nullable=False),
    sa.Column('participant', sa.Text(), nullable=True),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('binding_id', 'version', name=op.f('pk_binding_version'))
    )
    op.create_index(op.f('ix_binding_version_device'), 'binding_version', ['device'], unique=False)
    op.create_index(op.f('ix_binding_version_participant'), 'binding_version', ['participant'], unique=False)
    op.create_table('chain',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('last_alert_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_chain'))
    )
    op.create_table('command',
    sa.Column('idempotency_key', sa.Text(), nullable=False),
    sa.Column('request', sa.Text(), nullable=False),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('response', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('idempotency_key', name=op.f('pk_command'))
    )
    op.create_index(op.f('ix_command_recorded_at'), 'command', ['recorded_at'], unique=False)
    op.create_table('delivery',
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('attempt', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('finished_at', sa.BigInteger(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('message_id', 'attempt', name=op.f('pk_delivery'))
    )
    op.create_table('device_chunk',
    sa.Column('chunk_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('device', sa.Text(), nullable=False),
    sa.Column('first_observed_at', sa.BigInteger(), nullable=False),
    sa.Column('last_observed_at', sa.BigInteger(), nullable=False),
    sa.Column('last_received_at', sa.BigInteger(), nullable=False),
    sa.Column('readings', sa.BigInteger(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('chunk_id', name=op.f('pk_device_chunk'))
    )
    op.create_index(op.f('ix_device_chunk_device_last_observed_at'), 'device_chunk', ['device', 'last_observed_at'], unique=False)
    op.create_index(op.f('ix_device_chunk_last_received_at'), 'device_chunk', ['last_received_at'], unique=False)
    op.create_table('device_feed',
    sa.Column('device', sa.Text(), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('registered', sa.Boolean(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('device', name=op.f('pk_device_feed'))
    )
    op.create_table('feed',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('adapter', sa.Text(), nullable=False),
    sa.Column('settings', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('feed', name=op.f('pk_feed'))
    )
    op.create_table('feed_key',
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('sandbox', sa.Boolean(), nullable=False),
    sa.Column('key_digest', sa.LargeBinary(), nullable=False),
    sa.Column('signing_secret', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_feed_key'))
    )
    op.create_index(op.f('ix_feed_key_feed'), 'feed_key', ['feed'], unique=False)
    op.create_table('finding',
    sa.Column('finding_id', sa.Text(), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('participant', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('onset', sa.BigInteger(), nullable=False),
    sa.Column('ended', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.BigInteger(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('finding_id', name=op.f('pk_finding'))
    )
    op.create_index(op.f('ix_finding_alert_id_onset'), 'finding', ['alert_id', 'onset'], unique=False)
    op.create_index(op.f('ix_finding_participant_onset'), 'finding', ['participant', 'onset'], unique=False)
    op.create_table('finding_revision',
    sa.Column('finding_id', sa.Text(), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('recorded_at', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('finding_id', 'revision', name=op.f('pk_finding_revision'))
    )
    op.create_table('history_chunk',
    sa.Column('chunk_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('participant', sa.Text(), nullable=False),
    sa.Column('day', sa.BigInteger(), nullable=False),
    sa.Column('first_observed_at', sa.BigInteger(), nullable=False),
    sa.Column('last_observed_at', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('chunk_id', name=op.f('pk_history_chunk'))
    )
    op.create_index(op.f('ix_history_chunk_participant_day_chunk_id'), 'history_chunk', ['participant', 'day', 'chunk_id'], unique=False)
    op.create_table('lease',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lease'))
    )
    op.create_table('message',
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('notice_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('finding_id', sa.Text(), nullable=True),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('recipient_name', sa.Text(), nullable=False),
    sa.Column('methods', sa.Text(), nullable=False),
    sa.Column('method', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('said_kind', sa.Text(), nullable=False),
    sa.Column('said_level', sa.BigInteger(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('corrects', sa.Text(), nullable=True),
    sa.Column('thread', sa.Text(), nullable=False),
    sa.Column('priority', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('state_reason', sa.Text(), nullable=True),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('method_attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('lease_owner', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.BigInteger(), nullable=True),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('provider_reference', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_message'))
    )
    op.create_index(op.f('ix_message_alert_id'), 'message', ['alert_id'], unique=False)
    op.create_index(op.f('ix_message_finding_id'), 'message', ['finding_id'], unique=False)
    op.create_index(op.f('ix_message_notice_id'), 'message', ['notice_id'], unique=False)
    op.create_index(op.f('ix_message_state_channel_priority_created_at_message_id'), 'message', ['state', 'channel', 'priority', 'created_at', 'message_id'], unique=False)
    op.create_index(op.f('ix_message_thread'), 'message', ['thread'], unique=False)
    op.create_table('notice',
    sa.Column('notice_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('finding_id', sa.Text(), nullable=True),
    sa.Column('revision', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('drop_reason', sa.Text(), nullable=True),
    sa.Column('partition', sa.BigInteger(), nullable=False),
    sa.Column('priority', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('notice_id', name=op.f('pk_notice'))
    )
    op.create_index(op.f('ix_notice_alert_id'), 'notice', ['alert_id'], unique=False)
    op.create_index(op.f('ix_notice_finding_id'), 'notice', ['finding_id'], unique=False)
    op.create_index(op.f('ix_notice_state_priority_created_at'), 'notice', ['state', 'priority', 'created_at'], unique=False)
    op.create_table('order_version',
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('participant', sa.Text(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('effective_from', sa.BigInteger(), nullable=True),
    sa.Column('effective_until', sa.BigInteger(), nullable=True),
    sa.Column('void', sa.Boolean(), nullable=False),
    sa.Column('supervision_level', sa.Text(), nullable=True),
    sa.Column('agency', sa.Text(), nullable=True),
    sa.Column('officer', sa.Text(), nullable=True),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('order_id', 'version', name=op.f('pk_order_version'))
    )
    op.create_index(op.f('ix_order_version_participant_order_id_version'), 'order_version', ['participant', 'order_id', 'version'], unique=False)
    op.create_table('person_version',
    sa.Column('person_id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('person_id', 'version', name=op.f('pk_person_version'))
    )
    op.create_table('progress',
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('partition', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('end', sa.BigInteger(), nullable=False),
    sa.Column('last_tick', sa.BigInteger(), nullable=True),
    sa.Column('caught_up_at', sa.BigInteger(), nullable=True),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('stage', 'partition', name=op.f('pk_progress'))
    )
    op.create_table('projection_position',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.BigInteger(), nullable=False),
    sa.Column('next_offset', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'partition', name=op.f('pk_projection_position'))
    )
    op.create_table('route_position',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('next_offset', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'partition', name=op.f('pk_route_position'))
    )
    op.create_table('snapshot_head',
    sa.Column('partition', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('generation', sa.BigInteger(), nullable=False),
    sa.Column('next_offset', sa.BigInteger(), nullable=False),
    sa.Column('shared', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('partition', name=op.f('pk_snapshot_head'))
    )
    op.create_table('snapshot_participant',
    sa.Column('partition', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('participant', sa.Text(), nullable=False),
    sa.Column('state', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('partition', 'participant', name=op.f('pk_snapshot_participant'))
    )
    op.create_table('zone_version',
    sa.Column('zone_id', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('effective_from', sa.BigInteger(), nullable=True),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('zone_id', 'version', name=op.f('pk_zone_version'))
    )
