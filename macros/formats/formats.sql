{#- Figures as people read them; orb_learning/formats.py writes the same, and a test holds them equal. -#}


{#- US dollars: whole from 100 on, to the cent from one on, else two digits that say something. -#}
{% macro shown_money(dollars) -%}
    {%- set size = 'abs((' ~ dollars ~ ')::double)' -%}
    case when ({{ dollars }}) < 0 then '-' else '' end || case
        when {{ size }} = 0 then '$0'
        when {{ size }} >= 99.995 then format('${:,.0f}', {{ size }})
        when {{ size }} >= 0.00995 then format('${:.2f}', {{ size }})
        else format('${:.{}f}', {{ size }}, (1 - floor(log10(nullif({{ size }}, 0))))::integer)
    end
{%- endmacro %}


{#- A length of time in the unit that fits it. -#}
{% macro shown_duration(seconds) -%}
    {%- set size = '((' ~ seconds ~ ')::double)' -%}
    case
        when {{ size }} = 0 then '0 s'
        when {{ size }} < 0.9995 then {{ shown_amount(size ~ ' * 1000') }} || ' ms'
        when {{ size }} < 119.5 then {{ shown_amount(size) }} || ' s'
        when {{ size }} < 7170 then {{ shown_amount(size ~ ' / 60') }} || ' min'
        when {{ size }} < 171000 then {{ shown_amount(size ~ ' / 3600') }} || ' h'
        else {{ shown_amount(size ~ ' / 86400') }} || ' d'
    end
{%- endmacro %}


{#- A number of at most two digits that say something below 10, else a whole one. -#}
{% macro shown_amount(number) -%}
    case
        when {{ number }} < 9.95 then regexp_replace(format('{:.1f}', {{ number }}), '\.0$', '')
        else format('{:,.0f}', {{ number }})
    end
{%- endmacro %}


{#- A share as a percentage; only what is none or all is shown as that. -#}
{% macro shown_rate(share) -%}
    {%- set size = '((' ~ share ~ ')::double)' -%}
    case
        when {{ size }} in (0, 1) then format('{:.0f} %', 100 * {{ size }})
        when {{ size }} < 0.0005 then '<0.1 %'
        when {{ size }} > 0.9995 then '>99.9 %'
        else format('{:.1f} %', 100 * {{ size }})
    end
{%- endmacro %}


{#- How many there are of what. -#}
{% macro shown_count(count, noun, plural=none) -%}
    format(
        '{:,} {}',
        ({{ count }})::bigint,
        case when ({{ count }}) = 1 then '{{ noun }}' else '{{ plural or noun ~ 's' }}' end
    )
{%- endmacro %}


{#- The beginning of a text in quotes, on one line. -#}
{% macro quoted_text(text) -%}
    '"' || case
        when length({{ text }}) > 60 then trim(regexp_replace(left({{ text }}, 57), '[\s\p{Z}\p{Cc}]+', ' ', 'g')) || '…'
        else trim(regexp_replace({{ text }}, '[\s\p{Z}\p{Cc}]+', ' ', 'g'))
    end || '"'
{%- endmacro %}
