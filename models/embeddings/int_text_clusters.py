"""One row is a text that has a vector, as a task or as a solution, and its cluster."""


def model(dbt, session):
    from orb_learning.embeddings.text_clusters import new_rows

    dbt.config(materialized="incremental")
    texts = dbt.ref("int_known_texts")
    embedded = dbt.ref("text_embeddings")
    settings = dbt.config.get("meta")
    return new_rows(
        session,
        texts=f"({texts.sql_query()})",
        embedded=f"({embedded.sql_query()})",
        clustered=str(dbt.this) if dbt.is_incremental else None,
        model=settings["model"],
        threshold=settings["threshold"],
    )
