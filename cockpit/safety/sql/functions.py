"""PostgreSQL functions by what they do. A function that is on none of these lists is unknown."""

from __future__ import annotations

from cockpit.safety.tables import names

KEYWORDS_BEFORE_PARENTHESIS = names(
    """and or not in any all some exists as on using values from where having by over filter within group when
    then else case select with materialized union except intersect join lateral between like ilike similar is
    distinct limit offset array row grouping sets cube rollup partition order interval cast coalesce nullif
    greatest least numeric decimal varchar char character bit timestamp time timestamptz float extract
    position substring overlay trim only tablesample explain analyze analyse format timetz precision rows
    range groups treat collate public xmlparse returns nulls returning_ recursive"""
)
"""Words of SQL itself that stand before a parenthesis: no calls, or calls of the standard's own harmless
        functions."""

READS = names(
    """abs ceil ceiling floor round trunc sign sqrt cbrt exp ln log log10 power pow mod div random pi degrees
    radians sin cos tan asin acos atan atan2 width_bucket gcd lcm scale count sum avg min max array_agg
    string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg bool_and bool_or every bit_and bit_or
    stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_slope
    regr_intercept regr_r2 percentile_cont percentile_disc mode rank dense_rank percent_rank cume_dist
    row_number ntile lag lead first_value last_value nth_value any_value length char_length character_length
    octet_length bit_length lower upper initcap left right lpad rpad ltrim rtrim btrim replace translate
    reverse repeat split_part strpos concat concat_ws format md5 sha224 sha256 sha384 sha512 encode decode
    quote_ident quote_literal quote_nullable regexp_match regexp_matches regexp_replace regexp_split_to_array
    regexp_split_to_table regexp_count regexp_like regexp_substr regexp_instr starts_with string_to_array
    string_to_table array_to_string ascii chr to_hex to_char to_date to_timestamp to_number substr overlay
    trim position substring normalize unistr similarity word_similarity now current_timestamp clock_timestamp
    statement_timestamp transaction_timestamp timeofday age date_part date_trunc date_bin extract make_date
    make_time make_timestamp make_timestamptz make_interval justify_days justify_hours justify_interval
    isfinite localtimestamp localtime current_date current_time date time timezone array_length array_ndims
    array_upper array_lower array_position array_positions array_append array_prepend array_cat array_remove
    array_replace array_dims cardinality unnest generate_series generate_subscripts json_array_length
    jsonb_array_length json_array_elements jsonb_array_elements json_array_elements_text
    jsonb_array_elements_text json_each jsonb_each json_each_text jsonb_each_text json_object_keys
    jsonb_object_keys json_extract_path jsonb_extract_path json_extract_path_text jsonb_extract_path_text
    json_typeof jsonb_typeof jsonb_pretty json_build_object jsonb_build_object json_build_array
    jsonb_build_array to_json to_jsonb row_to_json array_to_json jsonb_path_query jsonb_path_exists
    jsonb_path_query_first jsonb_path_query_array jsonb_path_match jsonb_set jsonb_strip_nulls
    json_strip_nulls json_populate_record jsonb_populate_record json_to_recordset jsonb_to_recordset coalesce
    nullif greatest least num_nulls num_nonnulls gen_random_uuid uuid_generate_v4 uuid_extract_timestamp
    version current_database current_schema current_schemas current_user session_user user current_role
    current_catalog current_query inet_client_addr inet_client_port inet_server_addr inet_server_port
    pg_backend_pid pg_blocking_pids pg_safe_snapshot_blocking_pids pg_conf_load_time pg_postmaster_start_time
    pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state pg_last_wal_receive_lsn
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_current_wal_lsn pg_current_wal_insert_lsn
    pg_current_wal_flush_lsn pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset
    pg_current_xact_id_if_assigned txid_current_if_assigned txid_current_snapshot txid_status pg_xact_status
    pg_snapshot_xmin pg_current_snapshot pg_size_pretty pg_size_bytes pg_database_size pg_relation_size
    pg_total_relation_size pg_table_size pg_indexes_size pg_tablespace_size pg_column_size
    pg_relation_filepath pg_relation_filenode pg_relation_is_publishable pg_get_indexdef pg_get_viewdef
    pg_get_functiondef pg_get_constraintdef pg_get_triggerdef pg_get_ruledef pg_get_expr pg_get_userbyid
    pg_get_serial_sequence pg_get_partkeydef pg_get_partition_constraintdef pg_get_function_arguments
    pg_get_function_result pg_get_keywords pg_partition_tree pg_partition_ancestors pg_partition_root
    pg_table_is_visible pg_function_is_visible pg_type_is_visible pg_encoding_to_char pg_typeof
    pg_tablespace_location pg_tablespace_databases format_type obj_description col_description
    shobj_description to_regclass to_regtype to_regproc to_regnamespace to_regrole has_table_privilege
    has_schema_privilege has_database_privilege has_column_privilege has_function_privilege pg_has_role
    has_sequence_privilege has_any_column_privilege current_setting pg_stat_get_activity
    pg_stat_get_backend_idset pg_stat_get_backend_pid pg_stat_get_live_tuples pg_stat_get_dead_tuples
    pg_stat_get_wal_senders pg_stat_get_numscans pg_stat_get_last_autovacuum_time pg_lock_status
    pg_show_all_settings pg_listening_channels pg_notification_queue_usage pg_prepared_xact
    pg_available_extensions pg_timezone_names txid_snapshot_xmin pg_stat_statements pgstattuple pgstatindex
    pg_buffercache_summary pg_buffercache_usage_counts pg_jit_available pg_is_other_temp_schema
    pg_my_temp_schema pg_control_checkpoint pg_control_system pg_control_recovery pg_control_init pg_ls_waldir
    pg_ls_logdir pg_ls_archive_statusdir host hostmask masklen netmask network broadcast text abbrev family
    inet_same_family st_distance st_x st_y ts_rank to_tsvector to_tsquery plainto_tsquery ts_headline hashtext
    width bit_count trim_array ifnull if date_format unix_timestamp from_unixtime timestampdiff datediff
    date_sub date_add curdate curtime group_concat connection_id database hex char strftime julianday datetime
    total typeof json_object jsonb_object json_to_record jsonb_to_record json_populate_recordset
    jsonb_populate_recordset
    jsonb_path_query_tz jsonb_path_exists_tz jsonb_insert array_fill isempty lower_inc upper_inc
    lower_inf upper_inf int4range int8range numrange tsrange tstzrange daterange range_merge aclexplode
    to_regprocedure
    to_regoper to_regcollation pg_client_encoding pg_collation_for pg_column_compression pg_describe_object
    pg_identify_object
    pg_get_function_identity_arguments pg_get_replication_slots pg_get_statisticsobjdef pg_get_publication_tables
    pg_get_multixact_members pg_sequence_parameters pg_sequence_last_value pg_trigger_depth pg_options_to_table
    pg_snapshot_xmax pg_snapshot_xip pg_visible_in_snapshot pg_replication_origin_progress pg_char_to_encoding"""
)
HEAVY = names("pgstattuple pgstatindex pg_database_size pg_tablespace_size")
SENSITIVE = names("current_setting pg_show_all_settings")
WRITES = names(
    """nextval setval set_config pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_switch_wal
    pg_create_restore_point pg_advisory_lock pg_advisory_xact_lock pg_try_advisory_lock pg_advisory_unlock
    pg_advisory_unlock_all pg_notify pg_wal_replay_pause pg_wal_replay_resume pg_start_backup pg_stop_backup
    pg_backup_start pg_backup_stop pg_create_physical_replication_slot pg_create_logical_replication_slot
    pg_replication_slot_advance pg_logical_emit_message pg_export_snapshot lo_create lo_creat lo_import
    lo_export lo_put lo_from_bytea lowrite lo_open lo_truncate dblink dblink_exec dblink_connect
    pg_logical_slot_get_changes txid_current pg_current_xact_id create_hypertable add_retention_policy
    pg_prewarm pg_import_system_collations brin_summarize_new_values gin_clean_pending_list pg_file_write
    pg_file_rename partman.run_maintenance run_maintenance query_to_xml pg_sync_replication_slots currval_
    create_parent"""
)
LOSSES = names(
    """pg_terminate_backend pg_promote pg_stat_reset pg_stat_reset_shared pg_stat_statements_reset
    pg_stat_reset_single_table_counters pg_drop_replication_slot lo_unlink pg_file_unlink
    pg_replication_origin_drop drop_chunks pg_stat_reset_slru pg_stat_reset_replication_slot"""
)
