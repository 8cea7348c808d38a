{#- Texts that are embedded, and the number by which everything refers to them. -#}


{#- A text without what no model reads: Unicode NFC, each run of white space and control characters
    one space, none at the ends. Most texts are plain already, and telling that is ten times faster. -#}
{% macro normalized_text(column) -%}
    case
        when regexp_matches({{ column }}, '[^!-~ ]|  ')
            then trim(regexp_replace(nfc_normalize({{ column }}), '[\s\p{Z}\p{Cc}]+', ' ', 'g'))
        else trim({{ column }})
    end
{%- endmacro %}


{#- The first 64 bits of the SHA-256 of a normalised text, NULL where nothing is left of it. Of a
    million texts, two have the same number with a probability of 3 in 100 million. -#}
{% macro text_id(column) -%}
    ('0x' || left(sha256(nullif({{ normalized_text(column) }}, '')), 16))::ubigint
{%- endmacro %}


{#- The model whose vectors count; the package reads the same variable. -#}
{% macro embedding_model() -%}
    {{ env_var('ORB_LEARNING__EMBEDDING_MODEL', 'all-MiniLM-L6-v2') }}
{%- endmacro %}
