"""One row is a distinct text and its vector: no text is embedded twice by the same model."""


def model(dbt, session):
    from orb_learning.embeddings.text_embeddings import new_rows

    dbt.config(materialized="incremental")
    texts = dbt.ref("int_known_texts")
    settings = dbt.config.get("meta")
    return new_rows(
        session,
        texts=f"({texts.sql_query()})",
        embedded=str(dbt.this) if dbt.is_incremental else None,
        model=settings["model"],
        most_texts=settings["most_texts"],
        enabled=settings["enabled"],
    )
