{#- A model's name as names are compared: lower case, without the provider before a slash or dot, and
    with ., _, : and @ the same as -. seeds/make_model_tiers.py does the same. -#}
{% macro model_key(name) -%}
    translate(
        regexp_replace(
            regexp_replace(lower(trim({{ name }})), '^.*/', ''),
            '^([a-z][a-z0-9]*[.])+([a-z])', '\2'
        ),
        '._:@ ', '-----'
    )
{%- endmacro %}


{#- The name by which an execution's tier is looked up: the tier that was given, else the model. -#}
{% macro given_model() -%}
    coalesce(nullif(trim(model_tier), ''), metadata ->> '$.model')
{%- endmacro %}


{#- A text, or 'unknown' where nothing is left of it. -#}
{% macro or_unknown(text) -%}
    coalesce(nullif(trim({{ text }}), ''), 'unknown')
{%- endmacro %}


{#- Whether a given model is the one of a line of the tiers, or one of its versions. -#}
{% macro begins_with_name(given, tiers) -%}
    (
        {{ model_key(given) }} = {{ tiers }}.key
        or (
            {{ tiers }}.name <> {{ tiers }}.model_tier
            and starts_with({{ model_key(given) }}, {{ tiers }}.key || '-')
        )
    )
{%- endmacro %}
