/* api.h - the functions that start each call; one file a family.
 *
 * Each runs on a thread of the HTTP server, checks and translates the body, and either
 * answers or sends the call to the core thread (call.h). What a call takes and answers is
 * in proto/control_api.md. */
#ifndef CONTROLPLANE_API_H
#define CONTROLPLANE_API_H

struct call;

/* api_about.c */
void api_openapi(struct call *call);
void api_docs(struct call *call);
void api_docs_script(struct call *call);
void api_docs_style(struct call *call);
void api_ca(struct call *call);
void api_whoami(struct call *call);
/* api_console.c */
void api_console(struct call *call);
void api_console_file(struct call *call);
void api_console_page(struct call *call);
void api_console_moved(struct call *call);
/* api_clusters.c */
void api_clusters_list(struct call *call);
void api_clusters_create(struct call *call);
void api_clusters_get(struct call *call);
void api_clusters_patch(struct call *call);
void api_clusters_delete(struct call *call);
void api_limits_get(struct call *call);
void api_limits_patch(struct call *call);
/* api_overview.c */
void api_overview(struct call *call);
/* api_usage.c */
void api_usage_list(struct call *call);
void api_usage_all(struct call *call);
/* api_audit.c */
void api_audit_cluster(struct call *call);
void api_audit_all(struct call *call);
/* api_fleet.c */
void api_agents_list(struct call *call);
void api_agents_get(struct call *call);
void api_agents_patch(struct call *call);
void api_agents_delete(struct call *call);
/* api_people_topics.c */
void api_people_topics_list(struct call *call);
void api_people_topics_create(struct call *call);
void api_people_topics_get(struct call *call);
void api_people_topics_patch(struct call *call);
void api_people_topics_delete(struct call *call);
void api_partitions_list(struct call *call);
/* api_tokens.c */
void api_enrolment_tokens_list(struct call *call);
void api_enrolment_tokens_create(struct call *call);
void api_enrolment_tokens_get(struct call *call);
void api_enrolment_tokens_delete(struct call *call);
void api_tokens_list(struct call *call);
void api_tokens_create(struct call *call);
void api_tokens_get(struct call *call);
void api_tokens_delete(struct call *call);
void api_join_tokens_list(struct call *call);
void api_join_tokens_create(struct call *call);
void api_join_tokens_get(struct call *call);
void api_join_tokens_delete(struct call *call);
/* api_users.c */
void api_users_list(struct call *call);
void api_users_create(struct call *call);
void api_users_get(struct call *call);
void api_users_patch(struct call *call);
void api_users_delete(struct call *call);
/* api_backups.c */
void api_backups_list(struct call *call);
void api_backups_download(struct call *call);
void api_backups_record(struct call *call);
void api_backups_get(struct call *call);
/* api_enrol.c */
void api_enrol(struct call *call);
void api_renew(struct call *call);
/* api_cell.c */
void api_nodes(struct call *call);
void api_cell_get(struct call *call);
void api_cell_patch(struct call *call);
void api_cell_nodes_list(struct call *call);
void api_cell_nodes_get(struct call *call);
void api_cell_nodes_delete(struct call *call);
void api_cell_nodes_promote(struct call *call);
void api_cell_nodes_demote(struct call *call);
void api_cell_transfer(struct call *call);
/* api_join.c */
void api_cell_join(struct call *call);
void api_node_report(struct call *call);
/* api_authority.c */
void api_cell_cas_list(struct call *call);
void api_cell_cas_create(struct call *call);
void api_cell_cas_delete(struct call *call);
/* api_agents.c */
void api_register(struct call *call);
void api_leave(struct call *call);
void api_producer_ids(struct call *call);
void api_usage_report(struct call *call);
/* api_metadata.c */
void api_cluster_metadata(struct call *call);
void api_watch(struct call *call);
/* api_commit.c */
void api_commit(struct call *call);
/* api_plan.c */
void api_plan(struct call *call);
/* api_offsets.c */
void api_offsets(struct call *call);
/* api_topics.c */
void api_topics_create(struct call *call);
void api_topics_delete(struct call *call);
void api_topics_partitions(struct call *call);
/* api_configs.c */
void api_topics_configs(struct call *call);
/* api_records.c */
void api_records_delete(struct call *call);
/* api_inspect.c */
void api_sizes(struct call *call);
void api_producers(struct call *call);
void api_quorum(struct call *call);
/* api_quotas.c */
void api_quotas_alter(struct call *call);
void api_quotas_list(struct call *call);
/* api_people_groups.c */
void api_people_groups_list(struct call *call);
void api_people_groups_get(struct call *call);
void api_people_groups_delete(struct call *call);
/* api_people_offsets.c */
void api_people_groups_offsets(struct call *call);
void api_people_groups_reset(struct call *call);
/* api_groups.c */
void api_groups(struct call *call);
/* admin.c */
void api_cell_logs(struct call *call);
void api_healthz(struct call *call);
void api_readyz(struct call *call);
/* api_metrics.c */
void api_metrics(struct call *call);

#endif
