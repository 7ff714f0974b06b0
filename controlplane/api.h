/* api.h - the functions that start each call; one file a family.
 *
 * Each runs on a thread of the HTTP server, checks and translates the body, and either
 * answers or sends the call to the core thread (call.h). What a call takes and answers is
 * in proto/control_api.md. */
#ifndef CONTROLPLANE_API_H
#define CONTROLPLANE_API_H

struct call;

/* api_clusters.c */
void api_ca(struct call *call);
void api_clusters_create(struct call *call);
void api_clusters_list(struct call *call);
void api_clusters_get(struct call *call);
void api_tokens_create(struct call *call);
/* api_enrol.c */
void api_enrol(struct call *call);
void api_renew(struct call *call);
/* api_cell.c */
void api_nodes(struct call *call);
/* api_agents.c */
void api_register(struct call *call);
void api_leave(struct call *call);
void api_producer_ids(struct call *call);
/* api_metadata.c */
void api_metadata(struct call *call);
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
/* admin.c */
void api_healthz(struct call *call);
void api_readyz(struct call *call);
void api_metrics(struct call *call);

#endif
