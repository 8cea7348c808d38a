{#- A text as it is shown, and as names are compared: one of a megabyte would be copied as often. The end
    tells apart those that begin alike; the page's reports.py cuts in the same way. -#}
{% macro shown_text(text) -%}
    case
        when length({{ text }}) > 200 then left({{ text }}, 192) || '… ' || left(md5({{ text }}), 6)
        else {{ text }}
    end
{%- endmacro %}
